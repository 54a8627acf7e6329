"""The page that holds two versions of a data set beside each other."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from core.doors import PageRequest, sign_in_required
from core.jobs.models import Job
from pipelines import services
from pipelines.comparing import Comparison, comparison_of
from pipelines.lookups import find_dataset, find_dataset_version, whole_number
from pipelines.models import DatasetVersion

SORTS = {"moved": "Moved most", "name": "Name", "missing": "Missing"}


@sign_in_required
@require_GET
def compare_versions(request: PageRequest, name: str) -> HttpResponse:
    """What changed from one version to another: columns, rows and distributions?"""
    dataset = find_dataset(request, name)
    numbers = list(dataset.versions.exclude(digest="").in_lists().order_by("-number")[:200])
    trail = [("Data sets", "/data/"), (name, reverse("pipelines:dataset", args=[name])), ("Compare", "")]
    context: dict[str, Any] = {"dataset": dataset, "versions": numbers, "trail": trail}
    if len(numbers) < 2:
        return render(request, "pipelines/compare.html", context)
    before, after = _sides(request, name, numbers)
    context |= _context(request, comparison_of(before, after))
    fragment = request.headers.get("HX-Request")
    return render(request, "pipelines/_distribution.html" if fragment else "pipelines/compare.html", context)


@sign_in_required
@require_POST
def measure_difference(request: PageRequest, name: str) -> HttpResponse:
    """Have the rows of both compared by a worker."""
    before, after = (
        find_dataset_version(request, name, whole_number(request.POST.get(each, ""), each)) for each in "ab"
    )
    services.request_difference(actor=request.actor, before=before, after=after)
    if request.headers.get("HX-Request"):
        return render(
            request, "pipelines/_distribution.html", _context(request, comparison_of(before, after))
        )
    address = reverse("pipelines:compare-versions", args=[name])
    return redirect(f"{address}?a={before.number}&b={after.number}")


def _sides(
    request: PageRequest, name: str, versions: list[DatasetVersion]
) -> tuple[DatasetVersion, DatasetVersion]:
    """The asked versions; without an address the newest and the one before it."""
    asked = [request.GET.get(each) for each in "ab"]
    defaults = (versions[1].number, versions[0].number)
    numbers = [
        whole_number(value, field) if value else default
        for value, field, default in zip(asked, "ab", defaults, strict=True)
    ]
    before, after = (find_dataset_version(request, name, number) for number in numbers)
    services.require_comparable(before, after)
    return before, after


def _context(request: PageRequest, comparison: Comparison) -> dict[str, Any]:
    sort = request.GET.get("sort", "moved")
    columns = comparison.columns()
    if sort == "name":
        columns.sort(key=lambda row: row["name"])
    elif sort == "missing":
        columns.sort(key=lambda row: -abs(row["after"]["missing_share"] - row["before"]["missing_share"]))
    found, moved = comparison.found, comparison.moved
    levels = [each["level"] for each in moved]
    return {
        "dataset": comparison.after.dataset,
        "comparison": comparison,
        "columns": columns,
        "sort": sort if sort in SORTS else "moved",
        "sorts": SORTS,
        "alerts": levels.count("alert"),
        "warnings": levels.count("warn"),
        "most": moved[0] if moved else None,
        "job": Job.objects.about(found).order_by("-created_at").first()
        if found and not comparison.is_over
        else None,
    }
