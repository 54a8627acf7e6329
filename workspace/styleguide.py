"""Every component once, for people who build pages; not served unless it is asked for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core import charts
from core.doors import PageRequest, sign_in_required
from core.statuses import LOOKS
from workspace.saved_views.list_pages import LIST_PAGES
from workspace.saved_views.models import SavedView

FIRST = date(2013, 4, 1)


class Example(forms.Form):
    name = forms.CharField(
        widget=forms.TextInput({"class": "in"}), help_text="Letters, digits, dot and dash."
    )
    reason = forms.CharField(widget=forms.Textarea({"class": "in", "rows": 3}))
    tier = forms.ChoiceField(
        choices=[("high", "High risk"), ("low", "Low risk")],
        required=False,
        widget=forms.Select({"class": "in"}),
    )


def chart(seed: float = 0.0) -> dict[str, Any]:
    """A made-up month: a series with its interval, a limit, a deployment, labels still to come."""
    days = [(FIRST + timedelta(days=n)).isoformat() for n in range(28)]
    values = [0.72 + seed - 0.002 * n + (n * 7 % 5) / 250 for n in range(21)] + [None] * 7
    low = [None if value is None else value - 0.02 for value in values]
    high = [None if value is None else value + 0.02 for value in values]
    return {
        "figure": charts.figure(
            [*charts.band(days, low, high, "accent"), charts.line(days, values, "v2", "accent")],
            marks=[
                charts.limit(0.68, "floor 0.68"),
                charts.vertical(days[6], "v2 live"),
                charts.not_yet_known(days[20], days[-1]),
            ],
            yaxis={"range": [0.6, 0.8]},
        ),
        "head": ["Day", "ROC AUC"],
        "rows": [
            (day, "not yet known" if value is None else f"{value:.3f}")
            for day, value in zip(days, values, strict=True)
        ],
    }


def bars() -> dict[str, Any]:
    """Made-up costs of two models by day."""
    days = [(FIRST + timedelta(days=n)).isoformat() for n in range(14)]
    first, second = [4 + n % 3 for n in range(14)], [2 + n % 5 / 2 for n in range(14)]
    return {
        "figure": charts.figure(
            [
                charts.bars(days, first, "flight-delay", "s1", prefix="$"),
                charts.bars(days, second, "fares", "s2", prefix="$"),
            ],
            barmode="stack",
            yaxis={"tickprefix": "$"},
        ),
        "legend": [("s1", "flight-delay"), ("s2", "fares")],
        "head": ["Day", "flight-delay", "fares"],
        "rows": list(zip(days, first, second, strict=True)),
    }


@sign_in_required
@require_safe
def styleguide(request: PageRequest) -> HttpResponse:
    """What a page may be made of."""
    if not (settings.DEBUG or settings.SHOW_STYLEGUIDE):
        raise Http404
    context = {
        "now": timezone.now(),
        "statuses": list(LOOKS),
        "form": Example(),
        "wrong": Example({"name": "", "reason": ""}),
        "chart": chart(),
        "bars": bars(),
        "trail": [("Models", "/models/"), ("flight-delay", "/models/flight-delay/"), ("v2", "")],
        "reference": [2, 5, 9, 14, 18, 15, 10, 6, 3, 1],
        "current": [1, 3, 6, 10, 14, 17, 15, 11, 6, 3],
        "trend": [3, 4, 4, 5, 3, 6, 7, 6, 8, 9],
        "heat": [("temp", [0, 0, 1, 2, 3, 4, 5, 6]), ("hour", [0, 1, 0, 0, 1, 0, None, 0])],
        "sha": "8d41f0c2" * 8,
        "list_page": LIST_PAGES["models"],
        "views": [
            SavedView(name="Operations", query="tag=team%3Aoperations"),
            SavedView(name="High risk", query="tier=high"),
        ],
    }
    return render(request, "workspace/styleguide.html", context)
