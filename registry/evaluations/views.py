"""The page of one evaluation: better, worse or the same, on which rows?"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core.doors import sign_in_required
from core.jobs.models import Job
from registry.evaluations.lookups import find_evaluation
from registry.evaluations.verdicts import metric_rows, slice_rows
from registry.places import places_of
from registry.readiness import HOLDOUT_WORDS


@sign_in_required
@require_GET
def evaluation_detail(request: HttpRequest, key: UUID) -> HttpResponse:
    """Progress while it runs, then metrics, slices and latency."""
    evaluation = find_evaluation(request, key)
    places = places_of(request.actor, evaluation.candidate)
    context = {
        "evaluation": evaluation,
        "job": Job.objects.about(evaluation).order_by("-created_at").first(),
        "metrics": metric_rows(evaluation),
        "slices": slice_rows(evaluation),
        "latency": list(evaluation.latency.items()),
        "holdout_word": HOLDOUT_WORDS.get(evaluation.holdout_kind, ""),
        "trail": [
            ("Models", "/models/"),
            (evaluation.candidate.model.name, places.model),
            (f"v{evaluation.candidate.number}", places.version),
            ("Evaluation", ""),
        ],
    }
    template = "_evaluation.html" if request.headers.get("HX-Request") else "evaluation_detail.html"
    return render(request, f"evaluations/{template}", context)
