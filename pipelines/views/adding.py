"""The page that adds a version to a data set: a file, or the rows of a query."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from core.doors import PageRequest, sign_in_required
from core.errors import Invalid, NotAllowed, TooLarge
from pipelines import rights, services
from pipelines.forms import QueryForm, UploadForm
from pipelines.lookups import find_dataset
from pipelines.models import Dataset
from pipelines.uploads import kept

SHOWN = 10


@sign_in_required
@require_http_methods(["GET", "POST"])
def add_version(request: PageRequest, name: str) -> HttpResponse:
    """Register a file or a query's rows; a worker reads and checks them."""
    dataset = find_dataset(request, name)
    if not rights.may_register(request.actor, dataset):
        raise NotAllowed(f"You may not add versions to {dataset}; it needs the right to register.")
    is_query = "query" in request.GET
    sources = list(settings.DATASETS_SQL_SOURCES)
    post = request.POST if request.method == "POST" else None
    upload = UploadForm(None if is_query else post, None if is_query else request.FILES or None)
    query = QueryForm(post if is_query else None, sources=sources)
    form = query if is_query else upload
    if request.method == "POST" and form.is_valid():
        try:
            return _queried(request, dataset, query) if is_query else _uploaded(request, dataset, upload)
        except (Invalid, TooLarge) as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
    context = {
        "dataset": dataset,
        "upload": upload,
        "query": query,
        "sources": sources,
        "queries": dataset.queries.select_related("version", "requested_by").order_by("-requested_at")[
            :SHOWN
        ],
        "trail": [
            ("Data", "/data/"),
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
    messages.success(request, f"{version} is being read.")
    return redirect(f"{reverse('pipelines:dataset', args=[dataset.name])}?version={version.number}")


def _queried(request: PageRequest, dataset: Dataset, form: QueryForm) -> HttpResponse:
    services.request_query(actor=request.actor, dataset=dataset, **form.cleaned_data)
    messages.success(request, f"The rows are read from {form.cleaned_data['source']}.")
    return redirect(f"{reverse('pipelines:add-version', args=[dataset.name])}#queries")
