"""Deleting a version or a model: what goes and what stays is said before, and why it may not go."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from core.doors import PageRequest, sign_in_required
from core.errors import Conflict, PreconditionFailed
from registry import services
from registry.downstream import steps_after
from registry.forms import DeleteForm
from registry.lookups import find_model, find_version
from registry.models import ModelVersion, RegisteredModel
from registry.retention import reasons_to_keep

TOLD = 5


@sign_in_required
@require_http_methods(["GET", "POST"])
def delete_version(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Delete one version, with a reason; its address then tells who did it and why."""
    version = find_version(request, name, number)
    services.require_describing(actor=request.actor, model=version.model)
    form = DeleteForm(request.POST or None, named=str(version), initial={"revision": version.rev})
    status = 422 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        try:
            services.delete_version(
                actor=request.actor,
                version=version,
                reason=form.cleaned_data["reason"],
                expected_rev=form.cleaned_data["revision"],
            )
        except (Conflict, PreconditionFailed) as error:
            status, form = error.status, _once_more(request, form, str(version), version.pk, ModelVersion)
        else:
            messages.success(request, f"{version} is deleted.")
            return redirect("registry:version", name=version.model.name, number=number)
    return render(request, "registry/version_delete.html", _of_version(request, version, form), status=status)


@sign_in_required
@require_http_methods(["GET", "POST"])
def delete_model(request: PageRequest, name: str) -> HttpResponse:
    """Delete a model with all its versions, with a reason; the name becomes free."""
    model = find_model(request, name)
    services.require_administering(actor=request.actor, model=model)
    form = DeleteForm(request.POST or None, named=model.name, initial={"revision": model.rev})
    status = 422 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        try:
            services.delete_model(
                actor=request.actor,
                model=model,
                reason=form.cleaned_data["reason"],
                expected_rev=form.cleaned_data["revision"],
            )
        except (Conflict, PreconditionFailed) as error:
            status, form = error.status, _once_more(request, form, model.name, model.pk, RegisteredModel)
        else:
            messages.success(request, f"{model} is deleted with its versions.")
            return redirect("registry:models")
    return render(request, "registry/model_delete.html", _of_model(model, form), status=status)


def _once_more(request: PageRequest, form: DeleteForm, named: str, pk: Any, kind: Any) -> DeleteForm:
    """Something changed since the page was read: the same form for what is there now."""
    rev = kind.objects.values_list("rev", flat=True).get(pk=pk)
    again = DeleteForm({**request.POST.dict(), "revision": rev}, named=named)
    again.is_valid()
    again.add_error(None, "It has changed since this page was read. Read what is said now, and repeat.")
    return again


def _of_version(request: PageRequest, version: ModelVersion, form: DeleteForm) -> dict[str, Any]:
    model = version.model
    return {
        "version": version,
        "model": model,
        "form": form,
        "why_not": reasons_to_keep([version]).get(version.pk, ""),
        "aliases": sorted(alias.name for alias in version.aliases.all()),
        "steps": steps_after(request.actor, version),
        "days": settings.UNREFERENCED_KEPT_DAYS,
        "trail": [
            ("Models", "/models/"),
            (model.name, reverse("registry:model", args=[model.name])),
            (f"v{version.number}", reverse("registry:version", args=[model.name, version.number])),
            ("Delete", ""),
        ],
    }


def _of_model(model: RegisteredModel, form: DeleteForm) -> dict[str, Any]:
    versions = list(model.versions.existing().only("pk", "number", "model_id").order_by("-number"))
    kept = reasons_to_keep(versions)
    needed = [(version, kept[version.pk]) for version in versions if version.pk in kept]
    return {
        "model": model,
        "form": form,
        "versions": len(versions),
        "needed": needed[:TOLD],
        "more_needed": max(0, len(needed) - TOLD),
        "aliases": sorted(alias.name for alias in model.aliases.all()),
        "days": settings.UNREFERENCED_KEPT_DAYS,
        "trail": [
            ("Models", "/models/"),
            (model.name, reverse("registry:model", args=[model.name])),
            ("Delete", ""),
        ],
    }
