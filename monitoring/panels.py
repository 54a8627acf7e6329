"""What monitoring shows on pages of lower packages: health on models and in the sidebar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from core.actors import Actor
from monitoring.board.verdicts import ICONS, WORST_FIRST
from monitoring.incidents.models import Incident
from monitoring.models import Watch
from registry.models import RegisteredModel

WORDS = {"ok": "Well", "warn": "Warning", "bad": "Needs a look", "none": "Not known yet"}
MOST_PINNED = 8


def health_of_models(actor: Actor, models: Sequence[RegisteredModel]) -> dict[Any, dict[str, Any]]:
    """For each watched model its worst endpoint, in words; two queries for any number of models."""
    watches = Watch.objects.filter(endpoint__model__in=models, endpoint__live__isnull=False)
    incidents = set(Incident.objects.open().filter(model__in=models).values_list("model", flat=True))
    found: dict[Any, dict[str, Any]] = {}
    for watch in watches.select_related("endpoint__environment").order_by("endpoint__environment__order"):
        panel = _panel(watch, watch.endpoint.model_id in incidents)
        known = found.get(watch.endpoint.model_id)
        if known is None or WORST_FIRST.index(panel["tone"]) < WORST_FIRST.index(known["tone"]):
            found[watch.endpoint.model_id] = panel
    return found


def unhealthy_models(actor: Actor) -> QuerySet[Any, Any]:
    """Keys of the models whose health, as ``health_of_models`` says it, is a warning or worse."""
    watches = Watch.objects.filter(endpoint__live__isnull=False)
    troubled = Incident.objects.open().order_by().values("model")
    said = Q(summary__tone__in=["warn", "bad"]) | Q(endpoint__model__in=troubled)
    return watches.filter(said).order_by().values("endpoint__model")


def pinned_models(actor: Actor) -> list[dict[str, Any]]:
    """The models in service that the actor may see, under the sidebar, the worst first."""
    watches = (
        Watch.objects.visible_to(actor).filter(endpoint__live__isnull=False).select_related("endpoint__model")
    )
    incidents = set(Incident.objects.visible_to(actor).open().values_list("model", flat=True))
    rows = [
        (watch.endpoint.model, _panel(watch, watch.endpoint.model_id in incidents))
        for watch in watches.only(
            "summary", "refreshed_at", "endpoint__model", "endpoint__model__name"
        ).order_by("endpoint__model__name")[:200]
    ]
    rows.sort(key=lambda row: WORST_FIRST.index(row[1]["tone"]))
    shown: dict[str, dict[str, Any]] = {}
    for model, panel in rows:
        shown.setdefault(
            model.name,
            {
                "name": model.name,
                "address": reverse("monitoring:model", args=[model.name]),
                "icon": panel["icon"],
                "class": panel["css"],
                "health": panel["word"],
            },
        )
    return list(shown.values())[:MOST_PINNED]


def open_incidents(actor: Actor) -> int:
    """For the sidebar's count."""
    return Incident.objects.visible_to(actor).open().count()


def _worst_finding(summary: dict[str, Any]) -> str:
    """What the card is headed by: how inputs drifted if that is worse than how well it answers."""
    tones = {cell["name"]: cell["tone"] for cell in summary.get("cells", [])}
    findings = summary.get("findings", {})
    drift, quality = (WORST_FIRST.index(tones.get(name, "none")) for name in ("Drift", "Quality"))
    is_drift = drift < quality and tones.get("Drift") in {"warn", "bad"}
    return str(findings.get("drift" if is_drift else "quality", ""))


def _panel(watch: Watch, has_incident: bool) -> dict[str, Any]:
    summary = watch.summary or {}
    tone = "bad" if has_incident else summary.get("tone", "none")
    return {
        "tone": tone,
        "css": "i t3" if tone == "none" else f"i t-{tone}",
        "icon": "siren" if has_incident else ICONS[tone],
        "word": "Open incident" if has_incident else WORDS[tone],
        "cells": summary.get("cells", []),
        "findings": summary.get("findings", {}),
        "title": _worst_finding(summary),
        "refreshed_at": watch.refreshed_at,
    }
