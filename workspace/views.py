"""Pages across all packages: system, jobs, search."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from core.doors import PageRequest, sign_in_required
from core.filters import chosen
from core.jobs.models import Job
from core.pages import Page
from workspace import inbox as inbox_of
from workspace import search as finding
from workspace import system
from workspace.job_access import visible_jobs
from workspace.job_words import housekeeping, lines_of
from workspace.services import cancel_job


@sign_in_required
@require_safe
def inbox(request: PageRequest) -> HttpResponse:
    """What waits for me?"""
    context = {
        "entries": inbox_of.waiting_for(request.actor),
        "requests": inbox_of.requests_of(request.actor),
        "answers": inbox_of.answers_to(request.actor),
        "decisions": inbox_of.decisions_of(request.actor),
    }
    return render(request, "workspace/inbox.html", context)


@sign_in_required
@require_safe
def system_page(request: PageRequest) -> HttpResponse:
    """Is everything well? For admins."""
    if not request.actor.holds_everywhere("administer"):
        raise Http404
    parts = system.parts()
    context = {
        "title": system.finding(parts),
        "parts": parts,
        "facts": system.processes(),
        "versions": system.versions(),
        "queues": system.queues(),
    }
    return render(request, "workspace/system.html", context)


@sign_in_required
@require_safe
def job_list(request: PageRequest) -> HttpResponse:
    """What workers do and did, newest first."""
    jobs: QuerySet[Job] = visible_jobs(request.actor).defer("payload", "result", "log_tail")
    status = chosen(request, "status", Job.Status.values)
    if status:
        jobs = jobs.filter(status=status)
    shows_all = chosen(request, "show", ["all"]) == "all"
    if not shows_all:
        jobs = jobs.exclude(kind__in=housekeeping())
    page = Page(request, jobs)
    context = {
        "page": page,
        "rows": lines_of(request.actor, page),
        "status": status,
        "statuses": Job.Status.choices,
        "shows_all": shows_all,
    }
    return render(request, "workspace/job_list.html", context)


@sign_in_required
@require_safe
def job_detail(request: PageRequest, pk: str) -> HttpResponse:
    """One job: how far, what it says, why it failed."""
    job = get_object_or_404(visible_jobs(request.actor), pk=pk)
    live, context = bool(request.htmx), {"job": job, "line": lines_of(request.actor, [job])[0]}
    if live and job.is_over:
        return render(request, "workspace/_job.html", context, status=286)
    return render(request, "workspace/_job.html" if live else "workspace/job_detail.html", context)


@sign_in_required
@require_POST
def job_cancel(request: PageRequest, pk: str) -> HttpResponse:
    """Ask a job to stop."""
    job = get_object_or_404(visible_jobs(request.actor), pk=pk)
    cancel_job(actor=request.actor, job=job)
    messages.success(request, "The job has been asked to stop.")
    return redirect("job-detail", pk=pk)


@sign_in_required
@require_safe
def search(request: PageRequest) -> HttpResponse:
    """The palette's results as a fragment, or a page without JavaScript."""
    here = (request.htmx.current_url or "") if request.htmx else ""
    groups = finding.results(request.actor, request.GET.get("q", "")[:200], here)
    template = "workspace/_results.html" if request.htmx else "workspace/search.html"
    return render(request, template, {"groups": groups, "q": request.GET.get("q", "")})
