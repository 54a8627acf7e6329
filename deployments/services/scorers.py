"""What agents report: scorers started, ready, failed; how much they use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.db.models.functions import Now, TruncHour

from audit.services import command, record
from core.actors import Actor
from deployments.history import move
from deployments.locks import locked_deployment
from deployments.models import Deployment, Scorer, ScorerUsage, Target
from deployments.notices import announce
from deployments.services.deploying import fail_deployment, tell

Status = Deployment.Status


@dataclass(frozen=True)
class Metered:
    """What a scorer used since the last report."""

    deployment: Deployment
    cpu_seconds: float
    memory_bytes: int
    seconds: float


@command
def note_scorer_started(
    *, actor: Actor, deployment: Deployment, agent: str, pid: int, socket: str, sandbox: str
) -> Scorer:
    """A process runs and loads the model; it gets no traffic yet."""
    is_restart = Scorer.objects.filter(deployment=deployment).update(restarts=F("restarts") + 1) > 0
    scorer, _ = Scorer.objects.update_or_create(
        deployment=deployment,
        defaults={
            "agent": agent,
            "status": Scorer.Status.STARTING,
            "pid": pid,
            "socket": socket,
            "sandbox": sandbox,
            "started_at": Now(),
            "ready_at": None,
            "reported_at": Now(),
            "failure": "",
            "failure_code": "",
        },
    )
    after = {"pid": pid, "sandbox": sandbox, "restart": is_restart}
    record(actor=actor, action="deployments.scorer_started", target=deployment, after=after)
    return scorer


@command
def note_scorer_ready(
    *, actor: Actor, deployment: Deployment, fence: int, about: dict[str, Any]
) -> Deployment:
    """The model is loaded from verified bytes; a new deployment now gets its health check."""
    row = locked_deployment(deployment)
    Scorer.objects.filter(deployment=row).update(
        status=Scorer.Status.READY,
        ready_at=Now(),
        reported_at=Now(),
        kind=str(about.get("kind", ""))[:20],
        load_seconds=about.get("load_seconds"),
    )
    if row.status == Status.STARTING and row.fence == fence:
        move(
            actor,
            row,
            Status.HEALTH_CHECK,
            note=f"Loaded in {about.get('load_seconds')} s from verified files.",
        )
    record(actor=actor, action="deployments.scorer_ready", target=row, after={"digest": row.digest})
    announce()
    return row


@command
def note_scorer_failed(
    *,
    actor: Actor,
    deployment: Deployment,
    fence: int,
    code: str,
    failure: str,
    log_tail: str,
    is_final: bool,
) -> Deployment:
    """A process ended or never started. ``is_final``: starting it again would not help."""
    row = locked_deployment(deployment)
    Scorer.objects.update_or_create(
        deployment=row,
        defaults={
            "status": Scorer.Status.FAILED,
            "failure_code": code,
            "failure": failure[:2000],
            "log_tail": log_tail[-4000:],
            "reported_at": Now(),
            "ready_at": None,
        },
    )
    after = {"code": code, "failure": failure[:500], "final": is_final}
    record(actor=actor, action="deployments.scorer_failed", target=row, after=after, outcome="failed")
    announce()
    if not is_final:
        return row
    if row.status in Deployment.BEFORE_LIVE:
        return fail_deployment(actor=actor, deployment=row, fence=fence, code=code, failure=failure)
    tell("deployments.scorer_broken", row, code=code, failure=failure, status=row.status)
    return row


@command
def note_scorer_stopped(*, actor: Actor, deployment: Deployment) -> None:
    """The deployment is over, so its process has been ended."""
    stopped = Scorer.objects.filter(deployment=deployment).exclude(status=Scorer.Status.STOPPED)
    if stopped.update(status=Scorer.Status.STOPPED, pid=None, socket="", memory_bytes=0, reported_at=Now()):
        record(actor=actor, action="deployments.scorer_stopped", target=deployment)


@command
def meter(*, actor: Actor, target: Target, agent: str, sandbox: str, metered: Iterable[Metered]) -> None:
    """The agent is alive, and this is what its scorers used. A heartbeat, so no event."""
    Target.objects.filter(pk=target.pk).update(agent=agent, agent_seen_at=Now(), sandbox=sandbox)
    for each in metered:
        Scorer.objects.filter(deployment=each.deployment).update(
            memory_bytes=each.memory_bytes, cpu_seconds=F("cpu_seconds") + each.cpu_seconds, reported_at=Now()
        )
        hour, _ = ScorerUsage.objects.get_or_create(deployment=each.deployment, hour=_this_hour())
        ScorerUsage.objects.filter(pk=hour.pk).update(
            cpu_seconds=F("cpu_seconds") + each.cpu_seconds,
            memory_byte_seconds=F("memory_byte_seconds") + each.memory_bytes * each.seconds,
            seconds=F("seconds") + each.seconds,
        )


def _this_hour() -> Any:
    return Target.objects.annotate(hour=TruncHour(Now())).values_list("hour", flat=True).first()
