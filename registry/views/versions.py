"""Pages about one version: what it is, where it comes from, whether it can be promoted."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from core.actors import holds
from core.doors import PageRequest, sign_in_required
from core.jobs.models import Job
from registry import rights, services
from registry.forms import EditVersionForm
from registry.graph import graph_of
from registry.lineage import data_of, parent_of
from registry.lookups import find_version
from registry.metrics import main_metric, shown, word_of
from registry.models import ModelVersion
from registry.readiness import HOLDOUT_WORDS, readiness_of
from registry.scans.words import dangers_of
from registry.services import FINALISE, VERIFY
from registry.services.integrity import MAY_VERIFY
from registry.signature import columns_of
from registry.storage.lookups import tombstone_at
from registry.storage.views import tombstone_page

FOLDED_FILES = 8


@sign_in_required
@require_GET
def version_detail(request: PageRequest, name: str, number: int) -> HttpResponse:
    """What is it, and can it be promoted?"""
    if tombstone := tombstone_at(request, name, number):
        return tombstone_page(request, tombstone)
    version = find_version(request, name, number)
    return render(request, "registry/version_detail.html", _context(request, version))


@sign_in_required
@require_GET
def version_status(request: PageRequest, name: str, number: int) -> HttpResponse:
    """The status alone, for a page that shows a version being hashed."""
    version = find_version(request, name, number)
    if version.status != ModelVersion.Status.PENDING_REGISTRATION:
        return HttpResponse(status=286, headers={"HX-Refresh": "true"})
    job = _registration(version)
    if request.GET.get("seen") == _seen(job):
        return HttpResponse(status=204)
    return render(
        request, "registry/_version_status.html", {"version": version, "job": job, "seen": _seen(job)}
    )


@sign_in_required
@require_POST
def edit_version(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Say what is new in a version; its content never changes."""
    version = find_version(request, name, number)
    form = EditVersionForm(request.POST)
    if not form.is_valid():
        context = {**_context(request, version), "form": form}
        return render(request, "registry/version_detail.html", context, status=422)
    services.update_version(
        actor=request.actor,
        version=version,
        description=form.cleaned_data["description"],
        expected_rev=form.cleaned_data["revision"],
    )
    messages.success(request, f"{version} is described anew.")
    return redirect("registry:version", name=name, number=number)


@sign_in_required
@require_POST
def verify_version(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Have the stored files hashed again."""
    version = find_version(request, name, number)
    services.request_verification(actor=request.actor, version=version)
    messages.success(request, "A worker hashes the stored files again.")
    return redirect("registry:version", name=name, number=number)


@sign_in_required
@require_POST
def retry_registration(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Try a failed registration again."""
    version = find_version(request, name, number)
    services.retry_registration(actor=request.actor, version=version)
    messages.success(request, f"{version} is being registered again.")
    return redirect("registry:version", name=name, number=number)


def _context(request: PageRequest, version: ModelVersion) -> dict[str, Any]:
    actor, model = request.actor, version.model
    data, job = data_of(actor, version), _registration(version)
    metric = main_metric([version])
    holdout = version.holdout.get("kind", "")
    return {
        "version": version,
        "model": model,
        "readiness": readiness_of(version, data, dangers_of(version)),
        "data": data,
        "parent": parent_of(actor, version),
        "graph": graph_of(actor, version) if version.is_ready else None,
        "job": job,
        "seen": _seen(job),
        "verification": Job.objects.about(version).filter(kind=VERIFY).open().first(),
        "metric": metric,
        "metric_word": word_of(metric),
        "metric_value": version.metrics.get(metric),
        "metrics": [(word_of(name), value, decimals) for name, value, decimals in shown(version.metrics)],
        "parameters": sorted(version.parameters.items()),
        "columns": columns_of(version.signature),
        "files": version.manifest[:FOLDED_FILES],
        "more_files": version.manifest[FOLDED_FILES:],
        "flavours": sorted(version.flavours),
        "environment": sorted(
            (key, value) for key, value in version.environment.items() if not isinstance(value, dict | list)
        ),
        "holdout_word": HOLDOUT_WORDS.get(holdout, holdout),
        "holdout_facts": sorted(
            (key.replace("_", " "), value) for key, value in version.holdout.items() if key != "kind"
        ),
        "aliases": sorted(alias.name for alias in version.aliases.all()),
        "tags": sorted(version.tags.all(), key=lambda tag: tag.key),
        "form": EditVersionForm.of(version),
        "may_register": rights.may_register(actor, model),
        "may_verify": version.is_ready and any(holds(actor, right, model) for right in MAY_VERIFY),
        "trail": [
            ("Models", "/models/"),
            (model.name, reverse("registry:model", args=[model.name])),
            (f"v{version.number}", ""),
        ],
    }


def _registration(version: ModelVersion) -> Job | None:
    if version.status != ModelVersion.Status.PENDING_REGISTRATION:
        return None
    return Job.objects.about(version).filter(kind=FINALISE).order_by("-created_at").first()


def _seen(job: Job | None) -> str:
    return f"{job.status}-{job.progress_percent}-{job.progress_step}" if job else ""
