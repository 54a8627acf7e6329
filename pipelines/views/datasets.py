"""Pages about data sets and their versions."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from core.doors import PageRequest, sign_in_required
from core.errors import Conflict, Invalid, NotAllowed, PreconditionFailed
from core.filters import asked, chosen
from core.pages import Page
from pipelines import rights, services
from pipelines.forms import DatasetFilterForm, EditDatasetForm, NewDatasetForm, ReasonForm
from pipelines.impact import impact_of
from pipelines.lookups import find_dataset, find_dataset_version, whole_number
from pipelines.models import ContractCheck, DataContract, Dataset, DatasetVersion
from pipelines.needs import need_of, sizes_of
from pipelines.overview import (
    late_datasets,
    narrowed,
    newest_to_show,
    unread_after,
    with_last_check,
    with_newest,
)
from pipelines.services import why_invalid
from pipelines.snippets import of_first, of_version

VERSIONS = 25


@sign_in_required
@require_GET
def dataset_list(request: PageRequest) -> HttpResponse:
    """Is the data fresh, complete and valid?"""
    form = DatasetFilterForm(request.GET)
    rows = narrowed(Dataset.objects.visible_to(request.actor), request.actor, asked(form))
    by_name = chosen(request, "sort", ("name", "newest")) != "newest"
    page = Page(
        request,
        with_newest(rows).with_freshness().select_related("owner"),
        key="name" if by_name else "pk",
        ascending=by_name,
    )
    sizes = sizes_of(page.items)
    context = {
        "page": page,
        "rows": [(dataset, need_of(dataset), sizes.get(dataset.pk, [])) for dataset in page],
        "filters": form,
        "is_filtered": any(request.GET.get(name) for name in form.fields),
        "by_name": by_name,
        "late": late_datasets(request.actor).count(),
        "may_create": rights.may_create(request.actor),
        "snippet": of_first("my-table"),
    }
    return render(request, "pipelines/dataset_list.html", context)


@sign_in_required
@require_http_methods(["GET", "POST"])
def new_dataset(request: PageRequest) -> HttpResponse:
    """Create a data set, and go on to its first version."""
    services.require_creating(actor=request.actor)
    form = NewDatasetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            dataset = services.create_dataset(actor=request.actor, **form.said())
        except (Invalid, Conflict) as error:
            form.refuse(error)
        else:
            messages.success(request, f"{dataset} is created. Add its first version.")
            return redirect("pipelines:add-version", name=dataset.name)
    context = {"form": form, "trail": [("Data sets", "/data/"), ("New", "")]}
    return render(request, "pipelines/dataset_new.html", context, status=422 if form.errors else 200)


@sign_in_required
@require_GET
def dataset_detail(request: PageRequest, name: str) -> HttpResponse:
    """Which version, what is in it, which checks failed, and what did it touch?"""
    dataset = find_dataset(request, name)
    status = chosen(request, "status", DatasetVersion.Status.values)
    versions = with_last_check(dataset.versions.in_lists())
    number = request.GET.get("version", "")
    if number:
        version = find_dataset_version(request, name, whole_number(number, "version"))
    else:
        version = newest_to_show(dataset)
    check = ContractCheck.objects.last_of(version) if version else None
    contract = DataContract.objects.newest_of(dataset)
    context = {
        "dataset": dataset,
        "trail": [("Data sets", "/data/"), (dataset.name, "")],
        "page": Page(request, versions.filter(status=status) if status else versions, "number", VERSIONS),
        "statuses": DatasetVersion.Status.choices,
        "status": status,
        "version": version,
        "newer": unread_after(version) if version and not number else None,
        "columns": version.profile.get("columns", []) if version else [],
        "contract": contract,
        "check": check,
        "held": [each for each in check.results if each["status"] == "passed"] if check else [],
        "invalid": why_invalid(version) if version and version.digest else None,
        "freshness": services.freshness_of(dataset),
        "alarm": dataset.alarms.open().first(),
        "snippets": of_version(version) if version else [],
        "impact": impact_of(request.actor, version) if version and version.digest else [],
        "may_administer": rights.may_administer(request.actor, dataset),
        "may_register": rights.may_register(request.actor, dataset),
        "may_check": contract is not None
        and (rights.may_administer(request.actor, dataset) or rights.may_register(request.actor, dataset)),
        "parents": list(version.parents.in_lists().order_by("number")) if version else [],
        "earlier": _earlier(dataset, version),
        "reason_form": ReasonForm(),
    }
    return render(request, "pipelines/dataset_detail.html", context)


@sign_in_required
@require_http_methods(["GET", "POST"])
def edit_dataset(request: PageRequest, name: str) -> HttpResponse:
    """Say what the data is, and how often newer data is expected."""
    dataset = find_dataset(request, name)
    if not rights.may_administer(request.actor, dataset):
        raise NotAllowed(f"You may not change {dataset}; it needs the right to administer.")
    form = EditDatasetForm(request.POST or None, initial=EditDatasetForm.told(dataset))
    theirs = None
    if request.method == "POST" and form.is_valid():
        try:
            services.update_dataset(
                actor=request.actor,
                dataset=dataset,
                expected_rev=form.cleaned_data["revision"],
                **form.fields_to_change(),
            )
        except PreconditionFailed:
            theirs = find_dataset(request, name)
            data = {**request.POST.dict(), "revision": str(theirs.rev)}
            form = EditDatasetForm(data)
        else:
            messages.success(request, f"{dataset} is changed.")
            return redirect("pipelines:dataset", name=name)
    context = {
        "dataset": dataset,
        "form": form,
        "theirs": theirs,
        "trail": _trail(dataset, "Edit"),
    }
    status = 412 if theirs else 422 if form.errors else 200
    return render(request, "pipelines/dataset_edit.html", context, status=status)


@sign_in_required
@require_http_methods(["GET", "POST"])
def quarantine_version(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Keep a version from being used, or let it be used again; a reason is needed."""
    version = find_dataset_version(request, name, number)
    if not rights.may_administer(request.actor, version.dataset):
        if request.method == "POST":
            services.quarantine_version(actor=request.actor, version=version, reason="")
        raise NotAllowed(f"You may not quarantine or release {version}; it needs the right to administer.")
    releases = version.status == DatasetVersion.Status.QUARANTINED
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        service = services.release_version if releases else services.quarantine_version
        service(actor=request.actor, version=version, reason=form.cleaned_data["reason"])
        messages.success(request, f"{version} is {'released' if releases else 'quarantined'}.")
        return redirect(f"{reverse('pipelines:dataset', args=[name])}?version={number}")
    context = {
        "dataset": version.dataset,
        "version": version,
        "releases": releases,
        "form": form,
        "impact": impact_of(request.actor, version),
        "trail": _trail(version.dataset, f"{'Release' if releases else 'Quarantine'} v{number}"),
    }
    return render(request, "pipelines/quarantine.html", context, status=422 if form.errors else 200)


def _earlier(dataset: Dataset, version: DatasetVersion | None) -> DatasetVersion | None:
    """The version that this one is most naturally compared with."""
    if version is None or not version.digest:
        return None
    older = dataset.versions.exclude(digest="").filter(number__lt=version.number)
    found: DatasetVersion | None = older.only("number").order_by("-number").first()
    return found


def _trail(dataset: Dataset, last: str) -> list[tuple[str, str]]:
    return [
        ("Data sets", "/data/"),
        (dataset.name, reverse("pipelines:dataset", args=[dataset.name])),
        (last, ""),
    ]
