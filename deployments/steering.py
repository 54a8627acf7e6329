"""What pages say about a deployment: its steps, its figures, its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.etags import etag_of
from deployments.models import Deployment, Scorer, Transition
from deployments.rollout import Totals
from deployments.serving.traffic import quantile_ms
from deployments.traffic import step_totals

ICONS = {
    "queued": "clock",
    "leased": "package",
    "starting": "cpu",
    "health_check": "activity",
    "rolling_out": "rocket",
    "live": "circle-check",
    "standby": "circle-dashed",
    "rolling_back": "undo-2",
    "rolled_back": "undo-2",
    "retired": "minus",
    "failed": "circle-x",
    "aborted": "circle-slash",
}


REACTIONS = {"pause": "pause it", "continue": "let it go on", "abort": "abort it"}


@dataclass(frozen=True)
class Step:
    """One line of the rollout: before, the present one, or to come."""

    title: str
    note: str
    state: str

    @property
    def icon(self) -> str:
        return {"done": "circle-check", "now": "loader-circle", "failed": "circle-x"}.get(
            self.state, "circle-dashed"
        )

    @property
    def look(self) -> str:
        tone = {"done": "i t-ok", "now": "i t-info", "failed": "i t-bad"}
        return tone.get(self.state, "i t3")


def steps_of(deployment: Deployment) -> list[Step]:
    """Start, health check, each share of the traffic, live."""
    order = ["queued", "starting", "health_check", "rolling_out", "live"]
    reached = _reached(deployment, order)
    steps = [
        _step(
            "Start a scorer",
            "files copied, hashed and loaded in a sandbox",
            order.index("starting"),
            reached,
            deployment,
        ),
        _step("Health check", "answers its own example", order.index("health_check"), reached, deployment),
    ]
    for index, each in enumerate(deployment.steps):
        if each["weight"] == 100:
            steps.append(
                _step(
                    "All traffic",
                    _last_note(deployment),
                    order.index("live"),
                    reached,
                    deployment,
                )
            )
        else:
            steps.append(_share(deployment, index, each, reached, order.index("rolling_out")))
    return steps


def _last_note(deployment: Deployment) -> str:
    alias = deployment.endpoint.environment.alias
    return f"the alias {alias} moves in the same transaction" if alias else "the former version stays warm"


def _share(deployment: Deployment, index: int, step: dict[str, Any], reached: int, rolling_out: int) -> Step:
    title, note = f"{step['weight']} % of the traffic", limits_of(step)
    if reached > rolling_out or (reached == rolling_out and index < deployment.step_index):
        skipped = deployment.replaces_id is None and deployment.live_at is not None
        if skipped:
            return Step(title, "nothing was live before it, so everything went to it at once", "skipped")
        return Step(title, note, "done")
    if reached == rolling_out and index == deployment.step_index:
        return Step(
            title, note, "failed" if deployment.is_over or deployment.status == "rolling_back" else "now"
        )
    return Step(title, note, "later")


def _step(title: str, note: str, position: int, reached: int, deployment: Deployment) -> Step:
    if reached > position or deployment.live_at is not None:
        return Step(title, note, "done")
    if reached == position:
        return Step(title, note, "failed" if deployment.is_over else "now")
    return Step(title, note, "later")


def _reached(deployment: Deployment, order: list[str]) -> int:
    """How far it ever came."""
    if deployment.live_at is not None:
        return len(order)
    statuses = set(Transition.objects.filter(deployment=deployment).values_list("status", flat=True))
    return max((order.index(each) for each in statuses if each in order), default=0)


def limits_of(step: dict[str, Any]) -> str:
    """A step's analysis in words."""
    analyse = step.get("analyse")
    if not analyse:
        return "no analysis"
    parts = [f"at least {analyse['min_requests']} requests"]
    if "max_error_rate" in analyse:
        parts.append(f"at most {100 * analyse['max_error_rate']:g} % errors")
    if "p95_ms" in analyse:
        parts.append(f"p95 up to {analyse['p95_ms']:g} ms")
    return f"{', '.join(parts)}; too few requests {REACTIONS[analyse['on_inconclusive']]}"


def figures_of(deployment: Deployment) -> dict[str, Any]:
    """The present step's numbers beside its limits."""
    totals: Totals = step_totals(deployment)
    rolling = deployment.status == Deployment.Status.ROLLING_OUT
    step = deployment.steps[deployment.step_index] if rolling else {}
    analyse = step.get("analyse") or {}
    p95 = quantile_ms(totals.latency, 0.95)
    return {
        "requests": totals.judged,
        "rows": totals.rows,
        "refused": totals.refused,
        "errors": totals.errors,
        "error_rate": totals.error_rate,
        "p95_ms": p95,
        "min_requests": analyse.get("min_requests"),
        "max_error_rate": analyse.get("max_error_rate"),
        "max_p95_ms": analyse.get("p95_ms"),
        "is_failing": bool(
            (totals.error_rate or 0) > analyse.get("max_error_rate", 1)
            or (p95 or 0) > analyse.get("p95_ms", float("inf"))
        ),
    }


def scorer_of(deployment: Deployment) -> Scorer | None:
    return getattr(deployment, "scorer", None)


def seen_of(deployment: Deployment, figures: dict[str, Any]) -> str:
    """Changes when the live part of the page would look different."""
    scorer = scorer_of(deployment)
    return etag_of(
        deployment.rev,
        deployment.analysis,
        figures,
        (scorer.status, scorer.restarts, scorer.memory_bytes >> 20) if scorer else None,
    ).strip('"')


def history_of(deployment: Deployment) -> list[dict[str, Any]]:
    """Newest first, as lines of a timeline."""
    rows = Transition.objects.filter(deployment=deployment).order_by("-at", "-id")[:200]
    return [
        {
            "row": row,
            "icon": ICONS[row.status],
            "word": Deployment.Status(row.status).label,
            "weight": row.weight,
        }
        for row in rows
    ]
