"""Pages of runs: where the links that MLflow's clients print lead to."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from core.doors import PageRequest, sign_in_required
from registry.runs.reading import run_of, runs_of
from registry.snippets import of_first_version, of_run


@sign_in_required
@require_GET
def run_list(request: PageRequest) -> HttpResponse:
    """The reader's own runs, newest first."""
    experiment, page = request.GET.get("experiment", ""), request.GET.get("page", "")
    shown = runs_of(request.actor, experiment, page)
    here = reverse("runs:runs")
    kept = {"experiment": experiment} if experiment else {}
    context = {
        "shown": shown,
        "experiment_id": experiment,
        "newest": f"{here}?{urlencode(kept)}" if page else "",
        "older": f"{here}?{urlencode({**kept, 'page': shown.next_page})}" if shown.next_page else "",
        "snippet": of_first_version("my-model"),
        "trail": [("Models", reverse("registry:models")), ("My runs", "")],
    }
    return render(request, "runs/run_list.html", context)


@sign_in_required
@require_GET
def run_detail(request: PageRequest, run_id: str) -> HttpResponse:
    """What a run logged, and which versions were made from it."""
    shown = run_of(request.actor, run_id)
    context = {
        "shown": shown,
        "run": shown.run,
        "snippets": of_run(shown.run),
        "trail": [
            ("Models", reverse("registry:models")),
            ("My runs", reverse("runs:runs")),
            (shown.name, ""),
        ],
    }
    return render(request, "runs/run_detail.html", context)
