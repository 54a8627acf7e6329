"""Pages about data sets, pipelines and their runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.doors import PageRequest, sign_in_required
from core.jobs.models import Job
from pipelines import rights, services
from pipelines.lookups import find_dataset, find_dataset_version, find_pipeline, find_run
from pipelines.models import ContractCheck, Dataset, DatasetVersion, Pipeline, PipelineRun
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


@sign_in_required
@require_GET
def pipeline_list(request: PageRequest) -> HttpResponse:
    """What can run here, and how did it last end?"""
    runs = PipelineRun.objects.visible_to(request.actor).select_related("pipeline", "started_by").defer("log")
    context = {
        "pipelines": Pipeline.objects.visible_to(request.actor).order_by("name"),
        "page": _page(request, runs.order_by("-created_at")),
    }
    return render(request, "pipelines/pipeline_list.html", context)


@sign_in_required
@require_GET
def run_detail(request: PageRequest, name: str, key: UUID) -> HttpResponse:
    """Progress, log, parameters, data and result of one run."""
    run = find_run(request, name, key)
    job = Job.objects.filter(pk=run.job_id).first()
    uses = run.datasets.select_related("version__dataset").order_by("role", "version__number")
    visible = set(
        DatasetVersion.objects.visible_to(request.actor)
        .filter(pipeline_runs=run)
        .values_list("pk", flat=True)
    )
    context = {
        "run": run,
        "job": job,
        "uses": [use for use in uses if use.version_id in visible],
        "log": run.log or (job.log_tail if job else []),
        "packages": run.environment.get("packages", {}),
        "may_cancel": not run.is_over and rights.may_cancel(request.actor, run),
        "trail": [("Pipelines", "/pipelines/"), (run.pipeline.name, "/pipelines/"), (str(run.pk)[:8], "")],
    }
    template = "pipelines/_run.html" if request.headers.get("HX-Request") else "pipelines/run_detail.html"
    return render(request, template, context)


@sign_in_required
@require_POST
def cancel_run(request: PageRequest, name: str, key: UUID) -> HttpResponse:
    """Stop a run."""
    run = services.cancel_run(actor=request.actor, run=find_run(request, name, key))
    messages.success(request, "The run is being stopped.")
    return redirect("pipelines:run", name=name, key=run.pk)


@sign_in_required
@require_GET
def pipeline_detail(request: PageRequest, name: str) -> HttpResponse:
    """A pipeline's runs are in the list."""
    find_pipeline(request, name)
    return redirect("pipelines:pipelines")


def _page(request: PageRequest, rows: Any) -> Any:
    return Paginator(rows, PAGE).get_page(request.GET.get("page"))
