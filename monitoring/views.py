"""Pages about what is watched."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.sight import require_sight
from core.actors import Actor
from core.doors import PageRequest, sign_in_required
from deployments import rights as deployment_rights
from deployments.models import Endpoint
from monitoring.board import (
    alerts,
    distribution,
    drift,
    health,
    heat,
    issues,
    quality,
    scope,
    spending,
    verdicts,
    versus,
)
from monitoring.incidents.models import Alert, Incident
from monitoring.models import Watch
from monitoring.snippets import labels_snippet, predictions_snippet
from registry.lineage import sees_all_data
from registry.lookups import find_model

MOST_WATCHES = 200


@sign_in_required
@require_GET
def monitoring_list(request: PageRequest) -> HttpResponse:
    """Which models need me?"""
    require_sight(request.actor)
    watches = list(_watches(request.actor)[:MOST_WATCHES])
    firing = alerts.firing_by_endpoint(watch.endpoint_id for watch in watches)
    shown = [
        _row(watch, firing.get(watch.endpoint_id, []))
        for watch in watches
        if watch.endpoint.live_id or watch.watermark
    ]
    shown.sort(
        key=lambda row: (verdicts.WORST_FIRST.index(row["tone"]), -row["incidents"], row["model"].name)
    )
    endpoint = Endpoint.objects.visible_to(request.actor).in_lists().first() if not shown else None
    context = {"rows": shown, "title": _list_title(shown), "snippet": predictions_snippet(endpoint)}
    return render(request, "monitoring/monitoring_list.html", context)


@sign_in_required
@require_GET
def model_monitoring(request: PageRequest, name: str) -> HttpResponse:
    """Quality, drift, latency, errors and cost of one model, as of its newest windows."""
    model = find_model(request, name)
    if not scope.endpoints_of(model):
        return render(request, "monitoring/no_endpoint.html", {"model": model, "trail": _trail(model.name)})
    picked = scope.scope_of(model, request.GET)
    if request.htmx and "seen" in request.GET:
        return _age(request, picked)
    return render(request, "monitoring/model_monitoring.html", _board(request.actor, picked))


def _board(actor: Actor, picked: scope.Scope) -> dict[str, Any]:
    """Everything the page shows; each part reads its windows once."""
    scored, series = quality.Quality(picked), drift.series_of(picked)
    served, spent = health.health_of(picked), spending.of_model(picked.model.pk, picked.range)
    found, firing = issues.issues_of(picked), alerts.firing_on(picked)
    cells = verdicts.strip(picked, scored, series, served, spent)
    reference = picked.references.get(picked.live.pk) if picked.live else None
    return {
        "scope": picked,
        "model": picked.model,
        "endpoint": picked.endpoint,
        "watch": picked.watch,
        "trail": _trail(picked.model.name),
        "ranges": [(key, words, key == picked.range) for key, words in scope.RANGE_WORDS.items()],
        "metrics": [(key, words, key == picked.metric) for key, words in scope.METRIC_WORDS.items()],
        "cells": cells,
        "tone": verdicts.worst_tone(cells),
        "incidents": verdicts.incidents_of(picked),
        "alerts": alerts.without_incident(firing),
        "rules": alerts.rule_rows(picked, firing),
        "reference": reference,
        "names_data": reference is not None and sees_all_data(actor, reference.version_id),
        "heat": heat.heat_map(picked, series),
        "psi": drift.over_time(picked, series),
        "distribution": distribution.distribution(picked, series),
        "latency": health.latency_figure(picked, served, verdicts.objective_of(picked)),
        "cost": spending.cost_figure(
            spent,
            spending.cost_title(spent, "what this model costs"),
            "Metered use times price rules, by the day served, USD",
        ),
        "quality": quality.quality_figure(scored),
        "versus": versus.versus(scored),
        "arrival": quality.arrival(scored),
        "issues": issues.issue_table(picked, found),
        "may_roll_back": deployment_rights.may_roll_back(actor, picked.endpoint) and picked.live is not None,
        "snippet": predictions_snippet(picked.endpoint)
        if picked.last_day is None
        else labels_snippet(picked.endpoint),
    }


def _age(request: PageRequest, picked: scope.Scope) -> HttpResponse:
    """How old the page is: nothing to swap while no newer windows are there."""
    newest = picked.watch.refreshed_at.isoformat() if picked.watch and picked.watch.refreshed_at else ""
    if newest == request.GET["seen"]:
        return HttpResponse(status=204)
    return render(request, "monitoring/_age.html", {"watch": picked.watch, "is_newer": True})


def _watches(actor: Actor) -> QuerySet[Watch]:
    waiting = Count("endpoint__incidents", filter=~Q(endpoint__incidents__status=Incident.Status.RESOLVED))
    return (
        Watch.objects.visible_to(actor)
        .in_lists()
        .annotate(open_incidents=waiting)
        .order_by("endpoint__model__name")
    )


def _row(watch: Any, firing: list[Alert]) -> dict[str, Any]:
    summary = watch.summary or {}
    tones = [summary.get("tone", "none"), *map(alerts.tone_of, firing), *["bad"] * watch.open_incidents]
    return {
        "watch": watch,
        "model": watch.endpoint.model,
        "environment": watch.endpoint.environment,
        "version": watch.endpoint.live.version if watch.endpoint.live else None,
        "tone": min(tones, key=verdicts.WORST_FIRST.index),
        "alerts": firing,
        "cells": summary.get("cells", []),
        "findings": summary.get("findings", {}),
        "issues": summary.get("open_issues", 0),
        "incidents": watch.open_incidents,
    }


def _list_title(rows: list[dict[str, Any]]) -> str:
    """The answer first: how many need somebody."""
    if not rows:
        return "Nothing is watched yet"
    needing = [row for row in rows if row["tone"] == "bad"]
    if not needing:
        return "No model needs you"
    names = scope.joined([row["model"].name for row in needing[:3]])
    if len(needing) <= 3:
        return f"{names} need{'s' if len(needing) == 1 else ''} you"
    return f"{scope.number_word(len(needing))} models need you"


def _trail(name: str) -> list[tuple[str, str]]:
    return [("Models", "/models/"), (name, f"/models/{name}/"), ("Monitoring", "")]
