"""Pages about quotas, holds and deleted versions."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.models import Event
from core.doors import PageRequest, sign_in_required
from core.filters import asked
from core.pages import Page
from registry.downstream import steps_after
from registry.lineage import data_of
from registry.lookups import find_model, find_version, require_sight
from registry.storage import services
from registry.storage.forms import DeletedFilterForm, HoldForm, QuotaForm
from registry.storage.lookups import find_tombstone, may_list_deleted
from registry.storage.models import Tombstone


@sign_in_required
@require_GET
def deleted_versions(request: PageRequest) -> HttpResponse:
    """Who deleted which version and why, newest first, for those who administer or audit."""
    require_sight(request.actor)
    filters = DeletedFilterForm(request.GET)
    rows = Tombstone.objects.visible_to(request.actor).in_lists()
    if name := asked(filters).get("model", ""):
        rows = rows.of_model(name)
    page = Page(request, rows)
    kept_for = timedelta(days=settings.UNREFERENCED_KEPT_DAYS)
    for tombstone in page:
        tombstone.bytes_until = tombstone.deleted_at + kept_for
    context = {
        "page": page,
        "filters": filters,
        "is_filtered": bool(name),
        "may_see_any": bool(page.items) or may_list_deleted(request.actor),
        "days": settings.UNREFERENCED_KEPT_DAYS,
        "trail": [("Models", "/models/"), ("Deleted versions", "")],
    }
    return render(request, "registry/storage/deleted_versions.html", context)


@sign_in_required
@require_GET
def deleted_version(request: PageRequest, pk: UUID) -> HttpResponse:
    """What stays of one deleted version, by an address that outlives its model."""
    return tombstone_page(request, find_tombstone(request, pk))


def tombstone_page(request: PageRequest, tombstone: Tombstone) -> HttpResponse:
    """Who deleted it, when and why; its digest, and what still speaks of it."""
    version = tombstone.version
    trail = [("Models", "/models/"), (tombstone.name, f"/models/{quote(version.model.name, safe='')}/")]
    if version.model.deleted_at is not None:
        trail = [("Models", "/models/"), ("Deleted versions", reverse("storage:deleted-versions"))]
    about = Event.objects.visible_to(request.actor).about("registry.modelversion", version.pk)
    context = {
        "tombstone": tombstone,
        "version": version,
        "files_until": tombstone.deleted_at + timedelta(days=settings.UNREFERENCED_KEPT_DAYS),
        "now": timezone.now(),
        "steps": steps_after(request.actor, version),
        "data": data_of(request.actor, version),
        "event": about.acting("registry.version_deleted").first(),
        "may_audit": request.actor.holds_everywhere("audit"),
        "trail": [*trail, (f"v{tombstone.number}", "")],
    }
    return render(request, "registry/storage/tombstone.html", context)


@sign_in_required
@require_POST
def set_quota(request: PageRequest, name: str) -> HttpResponse:
    """Limit what the versions of a model may take together."""
    model, form = find_model(request, name), QuotaForm(request.POST)
    if form.is_valid():
        services.set_quota(actor=request.actor, model=model, **form.said())
        messages.success(request, f"The quota of {model} is changed.")
    else:
        _say_what_is_wrong(request, form)
    return redirect("registry:model", name=model.name)


@sign_in_required
@require_POST
def place_hold(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Nobody deletes the version until the hold is released."""
    version, form = find_version(request, name, number), HoldForm(request.POST)
    if form.is_valid():
        services.place_hold(actor=request.actor, version=version, **form.cleaned_data)
        messages.success(request, f"{version} is under legal hold.")
    else:
        _say_what_is_wrong(request, form)
    return redirect("registry:version", name=name, number=number)


@sign_in_required
@require_POST
def release_hold(request: PageRequest, name: str, number: int) -> HttpResponse:
    """The version may be deleted again."""
    version, form = find_version(request, name, number), HoldForm(request.POST)
    if form.is_valid():
        services.release_hold(actor=request.actor, version=version, **form.cleaned_data)
        messages.success(request, f"The legal hold on {version} is released.")
    else:
        _say_what_is_wrong(request, form)
    return redirect("registry:version", name=name, number=number)


def _say_what_is_wrong(request: PageRequest, form: Form) -> None:
    said = [f"{form.fields[name].label}: {' '.join(errors)}" for name, errors in form.errors.items()]
    messages.error(request, " ".join(said))
