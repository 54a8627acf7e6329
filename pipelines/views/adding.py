"""The page that adds a version to a data set: a file, the rows of a query, or a prefix's objects."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from core.doors import PageRequest, sign_in_required
from core.errors import Invalid, NotAllowed, TooLarge
from pipelines import rights, services
from pipelines.forms import PrefixForm, QueryForm, UploadForm
from pipelines.lookups import find_dataset
from pipelines.models import Dataset
from pipelines.sources.lookups import usable_by
from pipelines.uploads import kept

SHOWN = 10


@sign_in_required
@require_http_methods(["GET", "POST"])
def add_version(request: PageRequest, name: str) -> HttpResponse:
    """Register a file, a query's rows or a prefix's objects; a worker reads and checks them."""
    dataset = find_dataset(request, name)
    if not rights.may_register(request.actor, dataset):
        raise NotAllowed(f"You may not add versions to {dataset}; it needs the right to register.")
    usable = usable_by(request.actor)
    databases = [each.name for each in usable if not each.is_s3]
    buckets = [each.name for each in usable if each.is_s3]
    kind = next((each for each in ("query", "prefix") if each in request.GET), "file")
    sent: dict[str, Any] = {kind: request.POST} if request.method == "POST" else {}
    forms: dict[str, Any] = {
        "file": UploadForm(sent.get("file"), (request.FILES or None) if "file" in sent else None),
        "query": QueryForm(sent.get("query"), sources=databases),
        "prefix": PrefixForm(sent.get("prefix"), sources=buckets),
    }
    form = forms[kind]
    if sent and form.is_valid():
        try:
            return _uploaded(request, dataset, form) if kind == "file" else _asked(request, dataset, form)
        except (Invalid, TooLarge) as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
    context = {
        "dataset": dataset,
        "upload": forms["file"],
        "query": forms["query"],
        "prefix": forms["prefix"],
        "databases": databases,
        "buckets": buckets,
        "queries": dataset.queries.select_related("version", "requested_by").order_by("-requested_at")[
            :SHOWN
        ],
        "trail": [
            ("Data sets", "/data/"),
            (name, reverse("pipelines:dataset", args=[name])),
            ("Add a version", ""),
        ],
    }
    status = 422 if form.errors else 200
    return render(request, "pipelines/version_add.html", context, status=status)


def _uploaded(request: PageRequest, dataset: Dataset, form: UploadForm) -> HttpResponse:
    file = form.cleaned_data["file"]
    version = services.register_version(
        actor=request.actor,
        dataset=dataset,
        content=kept(file),
        source_name=(file.name or "")[:255],
        label=form.cleaned_data["label"],
        description=form.cleaned_data["description"],
    )
    if version.number < dataset.next_number:
        words = f"These bytes are {version} already. Nothing was added; its label and description stay."
        messages.warning(request, words)
    else:
        messages.success(request, f"{version} is being read.")
    return redirect(f"{reverse('pipelines:dataset', args=[dataset.name])}?version={version.number}")


def _asked(request: PageRequest, dataset: Dataset, form: QueryForm | PrefixForm) -> HttpResponse:
    services.request_query(actor=request.actor, dataset=dataset, **form.cleaned_data)
    messages.success(request, f"The rows are read from {form.cleaned_data['source']}.")
    return redirect(f"{reverse('pipelines:add-version', args=[dataset.name])}#queries")
