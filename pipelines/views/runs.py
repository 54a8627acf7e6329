"""Pages about pipelines and their runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.doors import PageRequest, sign_in_required
from core.jobs.models import Job
from pipelines import rights, services
from pipelines.lookups import find_pipeline, find_run
from pipelines.models import DatasetVersion, Pipeline, PipelineRun

PAGE = 50


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
