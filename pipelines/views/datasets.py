"""Pages about data sets and their versions."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.doors import PageRequest, sign_in_required
from pipelines import rights, services
from pipelines.lookups import find_dataset, find_dataset_version
from pipelines.models import ContractCheck, Dataset, DatasetVersion
from pipelines.services import why_invalid

PAGE = 50


@sign_in_required
@require_GET
def dataset_list(request: PageRequest) -> HttpResponse:
    """Is the data fresh, complete and valid?"""
    newest = DatasetVersion.objects.filter(dataset=OuterRef("pk")).order_by("-number")
    check = ContractCheck.objects.filter(version__dataset=OuterRef("pk")).order_by("-checked_at")
    rows = (
        Dataset.objects.visible_to(request.actor)
        .select_related("owner")
        .annotate(
            version_count=Count("versions"),
            newest_number=Subquery(newest.values("number")[:1]),
            newest_label=Subquery(newest.values("label")[:1]),
            newest_status=Subquery(newest.values("status")[:1]),
            newest_at=Subquery(newest.values("created_at")[:1]),
            last_check=Subquery(check.values("status")[:1]),
        )
        .order_by("name")
    )
    return render(request, "pipelines/dataset_list.html", {"page": _page(request, rows)})


@sign_in_required
@require_GET
def dataset_detail(request: PageRequest, name: str) -> HttpResponse:
    """Which version, what is in it, and which checks failed?"""
    dataset = find_dataset(request, name)
    versions = dataset.versions.in_lists().order_by("-number")
    asked = request.GET.get("version", "")
    if asked.isascii() and asked.isdigit():
        version = find_dataset_version(request, name, int(asked))
    else:
        version = dataset.versions.order_by("-number").first()
    check = version.last_check() if version else None
    context = {
        "dataset": dataset,
        "trail": [("Data", "/data/"), (dataset.name, "")],
        "page": _page(request, versions),
        "version": version,
        "columns": version.profile.get("columns", []) if version else [],
        "contract": dataset.contract(),
        "check": check,
        "held": [each for each in check.results if each["status"] == "passed"] if check else [],
        "invalid": why_invalid(version) if version and version.digest else None,
        "may_administer": rights.may_administer(request.actor, dataset),
        "parents": list(version.parents.select_related("dataset").order_by("number")) if version else [],
    }
    return render(request, "pipelines/dataset_detail.html", context)


@sign_in_required
@require_POST
def quarantine_version(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Keep a version from being used, or let it be used again; a reason is needed."""
    version = find_dataset_version(request, name, number)
    releases = version.status == DatasetVersion.Status.QUARANTINED
    service = services.release_version if releases else services.quarantine_version
    service(actor=request.actor, version=version, reason=request.POST.get("reason", ""))
    messages.success(request, f"{version} is {'released' if releases else 'quarantined'}.")
    return redirect(f"/data/{name}/?version={number}")


def _page(request: PageRequest, rows: Any) -> Any:
    return Paginator(rows, PAGE).get_page(request.GET.get("page"))
