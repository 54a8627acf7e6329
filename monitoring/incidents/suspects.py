"""What changed around the beginning of an incident: suspects, and what speaks for and against them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from deployments.models import Deployment
from monitoring.incidents.models import Alert, Incident
from monitoring.models import DataIssue, FeatureWindow, Granularity, Level, QualityWindow, Role

AROUND = timedelta(days=14)
MOST = 6
MOST_INPUTS = 3
MOVED = ("warn", "alert")
LEAST_WEEKS = 3


@dataclass(frozen=True)
class Suspect:
    """Something that moved at the time: evidence to look at, not a verdict."""

    icon: str
    title: str
    evidence: str
    address: str = ""


def suspects_of(incident: Incident, alerts: list[Alert]) -> list[Suspect]:
    """Deployments, drifted inputs and data issues near the first breaching window."""
    if incident.endpoint is None or not alerts:
        return []
    starts = [date.fromisoformat(each["starts_on"]) for alert in alerts for each in alert.windows]
    first, last = min(starts), max(starts) + timedelta(days=6)
    return [*_version(incident, first), *_drifted(incident, first, last), *_issues(incident, first, last)][
        :MOST
    ]


def _version(incident: Incident, first: date) -> list[Suspect]:
    if incident.version is None or incident.endpoint is None:
        return []
    served = FeatureWindow.objects.filter(
        watch__endpoint=incident.endpoint,
        version=incident.version,
        role=Role.SERVED,
        granularity=Granularity.DAY,
    ).order_by("starts_on")
    begun = served.values_list("starts_on", flat=True).first()
    deployment = (
        Deployment.objects.filter(endpoint=incident.endpoint, version=incident.version)
        .order_by("created_at")
        .first()
    )
    if begun is None or deployment is None:
        return []
    days = (first - begun).days
    when = "on the first day it served" if days <= 0 else f"{days} days after it began to serve"
    return [
        Suspect(
            "rocket",
            f"v{incident.version.number} itself",
            f"The breach begins {when} ({_words(begun)}).",
            f"/deployments/{deployment.pk}/",
        )
    ]


def _drifted(incident: Incident, first: date, last: date) -> list[Suspect]:
    """Inputs that moved in those weeks, and whether quality followed them in all weeks of the version."""
    weeks = list(
        FeatureWindow.objects.filter(
            watch__endpoint=incident.endpoint,
            version=incident.version,
            role=Role.SERVED,
            granularity=Granularity.WEEK,
            level__in=(*MOVED, Level.STABLE),
            is_prediction=False,
        )
        .defer("bars", "examples")
        .order_by("-psi")
    )
    found: dict[str, FeatureWindow] = {}
    for week in weeks:
        if week.level in MOVED and first - AROUND <= week.starts_on <= last:
            found.setdefault(week.feature, week)
    quality = _quality(incident)
    return [
        _drift_suspect(incident, week, [each for each in weeks if each.feature == feature], quality)
        for feature, week in list(found.items())[:MOST_INPUTS]
    ]


def _drift_suspect(
    incident: Incident, week: FeatureWindow, weeks: list[FeatureWindow], quality: dict[date, float]
) -> Suspect:
    evidence = f"PSI {week.psi:.2f} in the week of {_words(week.starts_on)}. {_followed(weeks, quality)}"
    address = f"/models/{incident.model.name}/monitoring/?feature={week.feature}#distribution"
    return Suspect("activity", f"{week.feature} drifted", evidence, address)


def _followed(weeks: list[FeatureWindow], quality: dict[date, float]) -> str:
    """Quality with and without the drift; weeks that cannot tell whether it moved count for neither."""
    moved = [quality[each.starts_on] for each in weeks if each.level in MOVED and each.starts_on in quality]
    stood = [
        quality[each.starts_on] for each in weeks if each.level == Level.STABLE and each.starts_on in quality
    ]
    if not moved or not stood or len(moved) + len(stood) < LEAST_WEEKS:
        return "Moving together is not a cause: compare days on which it moved with days on which it did not."
    return f"ROC AUC is {_mean(moved)} in which it had moved and {_mean(stood)} in which it had not."


def _mean(values: list[float]) -> str:
    return f"{sum(values) / len(values):.3f} over {len(values)} week{'' if len(values) == 1 else 's'}"


def _quality(incident: Incident) -> dict[date, float]:
    windows = QualityWindow.objects.filter(
        watch__endpoint=incident.endpoint,
        version=incident.version,
        role=Role.SERVED,
        granularity=Granularity.WEEK,
    )
    pairs = windows.values_list("starts_on", "metrics")
    found: dict[date, Any] = {day: metrics.get("roc_auc", {}).get("estimate") for day, metrics in pairs}
    return {day: value for day, value in found.items() if value is not None}


def _issues(incident: Incident, first: date, last: date) -> list[Suspect]:
    """The two inputs with most rows affected, each with all its spells of those weeks."""
    rows = DataIssue.objects.filter(
        watch__endpoint=incident.endpoint,
        version=incident.version,
        last_day__gte=first - AROUND,
        first_day__lte=last,
    ).order_by("first_day")
    spells: dict[tuple[str, str], list[DataIssue]] = {}
    for each in rows:
        spells.setdefault((each.feature, each.kind), []).append(each)
    worst = sorted(spells.values(), key=lambda found: -sum(each.affected for each in found))
    return [_issue_suspect(incident, found) for found in worst[:2]]


def _issue_suspect(incident: Incident, spells: list[DataIssue]) -> Suspect:
    affected, rows = (sum(getattr(each, name) for each in spells) for name in ("affected", "rows"))
    return Suspect(
        "triangle-alert",
        f"{spells[0].feature or 'Requests'}: {spells[0].get_kind_display().lower()}",
        f"{affected:,} of {rows:,} rows, {_words(spells[0].first_day)} to {_words(spells[-1].last_day)}.",
        f"/models/{incident.model.name}/monitoring/#issues",
    )


def _words(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
