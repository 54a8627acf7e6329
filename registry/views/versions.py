"""Pages about one version: what it is, where it comes from, whether it can be promoted."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from core.actors import Actor, holds
from core.doors import PageRequest, sign_in_required
from core.errors import PreconditionFailed
from core.jobs.models import Job
from core.templatetags.ui import percent
from registry import rights, services
from registry.changed import changed_file
from registry.compare.signatures import changes_of
from registry.data_facts import NO_HOLDOUT, facts_about
from registry.evaluations.measured import is_evaluated, measured_of
from registry.evaluations.models import Evaluation
from registry.evaluations.setbacks import failure_of
from registry.evaluations.verdicts import metric_rows
from registry.forms import EditVersionForm
from registry.graph import graph_of
from registry.lineage import data_of, holdout_as_told, names_behind, parent_of
from registry.lookups import find_version
from registry.metrics import main_metric, shown, word_of
from registry.models import ModelVersion
from registry.obstacles import obstacles_of
from registry.offers import offers
from registry.prompts.content import is_prompt
from registry.readiness import HOLDOUT_WORDS, broken_run, readiness_of, untraced_inputs
from registry.scans.words import dangers_of
from registry.services import FINALISE, VERIFY
from registry.services.integrity import MAY_VERIFY
from registry.signature import columns_of
from registry.snippets import of_version
from registry.storage.lookups import tombstone_at
from registry.storage.views import tombstone_page
from registry.views.prompts import prompt_version_page

FOLDED_FILES = 8
# What runs say of their hold-out -> how people say it, in the order in which it is told.
HOLDOUT_KEYS = {
    "dataset": "Data set",
    "dataset_version": "Version",
    "test_fraction": "Held out",
    "label_column": "Label",
    "seed": "Seed",
}


@sign_in_required
@require_GET
def version_detail(request: PageRequest, name: str, number: int) -> HttpResponse:
    """What is it, and can it be promoted?"""
    if tombstone := tombstone_at(request, name, number):
        return tombstone_page(request, tombstone)
    return version_page(request, find_version(request, name, number))


def version_page(
    request: PageRequest, version: ModelVersion, status: int = 200, **answered: Any
) -> HttpResponse:
    """The page, with forms of its rail that were sent and refused; a prompt has a page of its own."""
    if is_prompt(version.model):
        return prompt_version_page(request, version, status, **answered)
    form = answered.pop("describe", None) or EditVersionForm.of(version)
    offered = offers(request.actor, version, **answered)
    context = {**_context(request, version), "form": form, "offers": offered}
    return render(request, "registry/version_detail.html", context, status=status)


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
        return version_page(request, version, status=422, describe=form)
    said = {"actor": request.actor, "description": form.cleaned_data["description"]}
    try:
        services.update_version(version=version, expected_rev=form.cleaned_data["revision"], **said)
    except PreconditionFailed:
        version = find_version(request, name, number)
        if not form.saw(version):
            form.ask_again(version)
            return version_page(request, version, status=412, describe=form)
        services.update_version(version=version, expected_rev=version.rev, **said)
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
    measured = measured_of(actor, [version]).get(str(version.pk))
    of_data, behind = facts_about(version, data), names_behind(version)
    return {
        "version": version,
        "model": model,
        "readiness": readiness_of(
            version,
            behind,
            of_data=of_data,
            of_scanners=dangers_of(version),
            of_promotion=[*failure_of(actor, version), *obstacles_of(actor, version)],
            of_figures=[measured.warning] if measured and measured.is_apart else [],
            is_evaluated=is_evaluated(version),
        ),
        "measured": measured,
        "is_holdout_named": NO_HOLDOUT not in of_data,
        "broken_run": broken_run(version),
        "data": data,
        "is_data_hidden": bool(behind and not data),
        "untraced_inputs": untraced_inputs(version, behind),
        "parent": parent_of(actor, version),
        "graph": graph_of(actor, version) if version.is_ready else None,
        "job": job,
        "seen": _seen(job),
        "verification": Job.objects.about(version).filter(kind=VERIFY).open().first(),
        "snippets": of_version(version),
        **_said_by_run(actor, version),
        **_files(version),
        **_against_champion(request, version),
        "aliases": sorted(version.aliases.all(), key=lambda alias: alias.name),
        "tags": sorted(version.tags.all(), key=lambda tag: tag.key),
        "may_register": rights.may_register(actor, model),
        "may_verify": version.is_ready and any(holds(actor, right, model) for right in MAY_VERIFY),
        "trail": [
            ("Models", "/models/"),
            (model.name, reverse("registry:model", args=[model.name])),
            (f"v{version.number}", ""),
        ],
    }


def _said_by_run(actor: Actor, version: ModelVersion) -> dict[str, Any]:
    """What its run logged of it: metrics, parameters, how rows were held out, what it was trained with."""
    metric, holdout = main_metric([version]), version.holdout.get("kind", "")
    return {
        "metric": metric,
        "metric_word": word_of(metric),
        "metric_value": version.metrics.get(metric),
        "metrics": shown(version.metrics),
        "parameters": sorted(version.parameters.items()),
        "environment": sorted(
            (key, value) for key, value in version.environment.items() if not isinstance(value, dict | list)
        ),
        "holdout_word": HOLDOUT_WORDS.get(holdout, holdout),
        "holdout_facts": _holdout_facts(holdout_as_told(actor, version)),
    }


def _files(version: ModelVersion) -> dict[str, Any]:
    """What it is made of, and which of it has changed since."""
    changed, folded = changed_file(version), version.manifest[FOLDED_FILES:]
    return {
        "changed": changed,
        "is_change_folded": changed is not None and any(each["path"] == changed.path for each in folded),
        "columns": columns_of(version.signature),
        "files": version.manifest[:FOLDED_FILES],
        "more_files": folded,
        "flavours": sorted(version.flavours),
    }


def _registration(version: ModelVersion) -> Job | None:
    if version.status != ModelVersion.Status.PENDING_REGISTRATION:
        return None
    return Job.objects.about(version).filter(kind=FINALISE).order_by("-created_at").first()


def _holdout_facts(holdout: dict[str, Any]) -> list[tuple[str, Any]]:
    """How the rows were held out, in words; ids are for programs."""
    said = {key: value for key, value in holdout.items() if key not in {"kind", "dataset_version_id"}}
    if isinstance(share := said.get("test_fraction"), int | float):
        said["test_fraction"] = percent(share, 0)
    return [
        (HOLDOUT_KEYS.get(key, key.replace("_", " ").capitalize()), said[key])
        for key in sorted(said, key=lambda key: [*HOLDOUT_KEYS, key].index(key))
    ]


def _against_champion(request: PageRequest, version: ModelVersion) -> dict[str, Any]:
    """The newest evaluation against another version, and what that version's signature asks otherwise."""
    found = Evaluation.objects.visible_to(request.actor).filter(
        candidate=version, champion__isnull=False, status=Evaluation.Status.SUCCEEDED, is_data_seen=True
    )
    newest = found.in_lists().defer("slices").order_by("-created_at").first()
    if newest is None or newest.champion is None:
        return {}
    rows = metric_rows(newest)
    return {
        "evaluation": newest,
        "judged": rows,
        "main": rows[0] if rows else None,
        "schema_changes": changes_of(newest.champion.signature, version.signature),
    }


def _seen(job: Job | None) -> str:
    return f"{job.status}-{job.progress_percent}-{job.progress_step}" if job else ""
