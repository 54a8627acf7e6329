"""A rollout's way through its steps, by itself or by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, NotAllowed, PreconditionFailed
from core.jobs import enqueue
from core.text import checked_text
from deployments import rights
from deployments.history import change, move
from deployments.locks import locked_deployment
from deployments.models import NO_SLOT, Deployment
from deployments.rollout import Outcome, Verdict, judge
from deployments.services.deploying import ADVANCE, fail_deployment, start_next, tell
from deployments.services.going_live import go_live
from deployments.traffic import step_totals

Status = Deployment.Status
# Requests that were under way when a canary lost its traffic may still be answered.
DRAIN = timedelta(seconds=2)
START_WITHIN = timedelta(minutes=3)


@command
def mark_healthy(*, actor: Actor, deployment: Deployment, fence: int, note: str = "") -> Deployment:
    """The scorer answered its check: give it its first share of the traffic."""
    row = locked_deployment(deployment)
    if row.fence != fence or row.status != Status.HEALTH_CHECK or _withdraw(actor, row):
        return row
    is_alone = row.endpoint.live is None
    first = {"weight": 100} if is_alone or row.is_rollback else row.steps[0]
    move(
        actor, row, Status.ROLLING_OUT, note=note, weight=first["weight"], step_index=0, step_started_at=Now()
    )
    record(actor=actor, action="deployments.rolling_out", target=row, after={"weight": first["weight"]})
    if first["weight"] == 100:
        go_live(actor, row, "Nothing was live before it." if is_alone else "All traffic.")
    else:
        enqueue(ADVANCE, subject=row, actor=actor, model=row.endpoint.model)
    return row


@command
def advance(*, actor: Actor, deployment: Deployment) -> Deployment:
    """Look at the current step and do what it says; safe to repeat at any time."""
    row = locked_deployment(deployment)
    if row.status == Status.ROLLING_BACK:
        _drained(actor, row)
    elif _withdraw(actor, row):
        pass
    elif row.status in {Status.STARTING, Status.HEALTH_CHECK}:
        _give_up_late(actor, row)
    elif row.status == Status.ROLLING_OUT and not row.is_paused:
        _judge(actor, row)
    return row


@command
def pause(
    *, actor: Actor, deployment: Deployment, reason: str = "", expected_rev: int | None = None
) -> Deployment:
    """Hold a rollout at its present share of the traffic."""
    row = _steered(actor, deployment, "pause", expected_rev)
    reason = checked_text(reason, "reason", 500, multiline=True)
    if row.status != Status.ROLLING_OUT:
        raise Conflict(f"{row} is {row.status_words.lower()}; only a rollout can be paused.")
    if row.is_paused:
        return row
    _pause(actor, row, reason or f"Paused by {actor.account_name}.", is_inconclusive=False)
    return row


@command
def continue_rollout(
    *, actor: Actor, deployment: Deployment, reason: str = "", expected_rev: int | None = None
) -> Deployment:
    """Go on after a pause; after an inconclusive step, a person's word replaces the missing evidence."""
    row = _steered(actor, deployment, "continue", expected_rev)
    reason = checked_text(reason, "reason", 500, multiline=True)
    if not row.is_paused:
        raise Conflict(f"{row} is not paused.")
    if _withdraw(actor, row):
        return row
    was_inconclusive = row.is_inconclusive
    change(actor, row, note=reason or "Continued.", paused_at=None, paused_because="", is_inconclusive=False)
    after = {"step": row.step_index, "was_inconclusive": was_inconclusive}
    record(actor=actor, action="deployments.continued", target=row, after=after, reason=reason)
    if was_inconclusive:
        _next_step(actor, row, f"Continued by {actor.account_name} without enough traffic.")
    else:
        enqueue(ADVANCE, subject=row, actor=actor, model=row.endpoint.model)
    return row


@command
def abort(
    *, actor: Actor, deployment: Deployment, reason: str, expected_rev: int | None = None
) -> Deployment:
    """Stop a deployment that is not live yet; what was live stays live."""
    row = _steered(actor, deployment, "abort", expected_rev)
    reason = checked_text(reason, "reason", 2000, min_length=1, multiline=True)
    if row.status not in Deployment.BEFORE_LIVE:
        raise Conflict(
            f"{row} is {row.status_words.lower()}; only a deployment that is not live yet can be aborted."
        )
    move(
        actor,
        row,
        Status.ABORTED,
        note=reason,
        slot=NO_SLOT,
        weight=0,
        ended_at=Now(),
        failure_code="aborted",
        failure=reason,
    )
    record(actor=actor, action="deployments.aborted", target=row, reason=reason)
    tell("deployments.aborted", row, code="aborted", failure=reason, is_automatic=False)
    start_next(actor, row.endpoint)
    return row


def _withdraw(actor: Actor, row: Deployment) -> bool:
    """Stop what is no longer cleared, or no longer what was registered, before it goes live."""
    if row.status not in Deployment.BEFORE_LIVE:
        return False
    if not row.version.is_intact:
        code, why = (
            "digest_mismatch",
            f"The stored files of {row.version} are not those that were registered.",
        )
    elif row.clearance is not None and row.clearance.revoked_at is not None:
        code, why = "clearance_revoked", "Its clearance was revoked."
    else:
        return False
    if row.status == Status.ROLLING_OUT:
        _abort_automatically(actor, row, code, Verdict(Outcome.FAIL, why, {}))
    else:
        fail_deployment(actor=actor, deployment=row, fence=row.fence, code=code, failure=why)
        row.refresh_from_db()
    return True


def _judge(actor: Actor, row: Deployment) -> None:
    verdict = judge(row.steps[row.step_index], step_totals(row), _seconds_since(row.step_started_at))
    analysis = {"outcome": verdict.outcome.value, "finding": verdict.finding, **verdict.figures}
    if analysis != row.analysis:
        Deployment.objects.filter(pk=row.pk).update(analysis=analysis)
        row.analysis = analysis
    if verdict.outcome is Outcome.PASS:
        _next_step(actor, row, verdict.finding)
    elif verdict.outcome is Outcome.FAIL:
        _abort_automatically(actor, row, "analysis_failed", verdict)
    elif verdict.outcome is Outcome.INCONCLUSIVE:
        reaction = row.steps[row.step_index]["analyse"]["on_inconclusive"]
        if reaction == "continue":
            _next_step(actor, row, verdict.finding)
        elif reaction == "abort":
            _abort_automatically(actor, row, "inconclusive", verdict)
        else:
            _pause(actor, row, verdict.finding, is_inconclusive=True)


def _next_step(actor: Actor, row: Deployment, finding: str) -> None:
    following = row.step_index + 1
    if following >= len(row.steps) or row.steps[following]["weight"] == 100:
        go_live(actor, row, finding)
        return
    weight = row.steps[following]["weight"]
    before, after = {"weight": row.weight}, {"weight": weight, "step": following}
    change(actor, row, note=finding, step_index=following, weight=weight, step_started_at=Now(), analysis={})
    record(
        actor=actor, action="deployments.step_taken", target=row, before=before, after=after, reason=finding
    )


def _abort_automatically(actor: Actor, row: Deployment, code: str, verdict: Verdict) -> None:
    """Take the traffic away now; the scorer ends when what was under way is answered."""
    move(
        actor,
        row,
        Status.ROLLING_BACK,
        note=verdict.finding,
        weight=0,
        slot=NO_SLOT,
        step_started_at=Now(),
        failure_code=code,
        failure=verdict.finding,
    )
    after: dict[str, Any] = {"code": code, **verdict.figures}
    after = {name: str(value) if isinstance(value, float) else value for name, value in after.items()}
    record(actor=actor, action="deployments.aborted", target=row, after=after, reason=verdict.finding)
    tell("deployments.aborted", row, code=code, failure=verdict.finding, is_automatic=True)


def _drained(actor: Actor, row: Deployment) -> None:
    if _seconds_since(row.step_started_at) < DRAIN.total_seconds():
        return
    move(actor, row, Status.ROLLED_BACK, ended_at=Now())
    record(actor=actor, action="deployments.taken_back", target=row)
    start_next(actor, row.endpoint)


def _give_up_late(actor: Actor, row: Deployment) -> None:
    if _seconds_since(row.started_at) > START_WITHIN.total_seconds():
        minutes = START_WITHIN.total_seconds() / 60
        failure = f"No healthy scorer within {minutes:g} minutes. Is the agent running?"
        fail_deployment(actor=actor, deployment=row, fence=row.fence, code="start_timeout", failure=failure)


def _pause(actor: Actor, row: Deployment, why: str, *, is_inconclusive: bool) -> None:
    change(actor, row, note=why, paused_at=Now(), paused_because=why[:500], is_inconclusive=is_inconclusive)
    record(actor=actor, action="deployments.paused", target=row, after={"step": row.step_index}, reason=why)
    tell("deployments.paused", row, finding=why, is_inconclusive=is_inconclusive)


def _steered(actor: Actor, deployment: Deployment, what: str, expected_rev: int | None) -> Deployment:
    if not rights.may_steer(actor, deployment.endpoint):
        raise NotAllowed(f"You may not {what} {deployment}; it needs the right to deploy.")
    row = locked_deployment(deployment)
    if expected_rev is not None and expected_rev != row.rev:
        raise PreconditionFailed(f"{row} has revision {row.rev} now; you saw revision {expected_rev}.")
    return row


def _seconds_since(moment: Any) -> float:
    return (timezone.now() - moment).total_seconds() if moment else 0.0
