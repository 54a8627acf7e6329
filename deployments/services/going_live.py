"""The one compare-and-set that decides what answers: going live, rolling back, retiring."""

from __future__ import annotations

from django.db.models import F
from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, NotAllowed
from core.text import checked_text
from deployments import rights
from deployments.history import move
from deployments.locks import locked_deployment, locked_endpoint
from deployments.models import NO_SLOT, Clearance, Deployment, Endpoint, Scorer
from deployments.rollout import ALL_AT_ONCE
from deployments.services.clearances import grant_clearance, require_deployable
from deployments.services.deploying import next_fence, start_deployment, start_next, tell
from registry.services import is_protected_alias, move_protected_alias

Status, Slot = Deployment.Status, Deployment.Slot
# A version stays warm for the one-step rollback until the next but one has gone live.
WARM_PER_ENDPOINT = 1


def go_live(actor: Actor, row: Deployment, note: str) -> None:
    """Make the deployment (locked, rolling out) the endpoint's live one, alias and all."""
    endpoint = row.endpoint
    if row.fence != endpoint.fence:
        raise Conflict(f"{row} was overtaken by a newer deployment or a rollback.", code="fence_lost")
    former = endpoint.live
    if former is not None:
        _step_down(actor, former, row)
    move(
        actor,
        row,
        Status.LIVE,
        note=note,
        changes_live=True,
        slot=Slot.STABLE,
        weight=100,
        live_at=Now(),
        paused_at=None,
        paused_because="",
    )
    _switch(actor, endpoint, row)
    _retire_cold(actor, endpoint)
    before = {"version": former.version.number, "deployment": str(former.pk)} if former else None
    after = {"version": row.version.number, "digest": row.digest, "fence": row.fence}
    record(actor=actor, action="deployments.went_live", target=row, before=before, after=after)
    tell("deployments.live", row, former=str(former.pk) if former else "", is_rollback=row.is_rollback)
    if row.is_rollback and former is not None:
        _tell_rolled_back(row, former)
    start_next(actor, endpoint)


@command
def roll_back(*, actor: Actor, endpoint: Endpoint, to_deployment: Deployment, reason: str) -> Deployment:
    """Serve an earlier, proven deployment again: at once while it is warm, else by starting it anew.

    Needs no new approval: only what was validly live here can be gone back to.
    """
    if (refusal := rights.why_not_roll_back(actor, endpoint)) is not None:
        raise NotAllowed(refusal)
    reason = checked_text(reason, "reason", 2000, min_length=1, multiline=True)
    row = locked_endpoint(endpoint)
    target = (
        Deployment.objects.select_for_update(of=("self",))
        .select_related("version__model")
        .get(pk=to_deployment.pk)
    )
    target.endpoint = row
    if (obstacle := why_not_target(row, target)) is not None:
        raise obstacle
    require_deployable(target.version)
    _abort_rollout(actor, row, f"Overtaken by the rollback to {target.version}.")
    clearance = grant_clearance(
        actor=actor,
        version=target.version,
        environment=row.environment,
        kind=Clearance.Kind.ROLLBACK,
        reference=str(target.pk),
        reason=reason,
    )
    if target.status == Status.STANDBY:
        return _switch_back(actor, row, target, reason)
    return start_deployment(
        actor=actor,
        endpoint=row,
        version=target.version,
        clearance=clearance,
        rollout=ALL_AT_ONCE,
        reason=reason,
        is_rollback=True,
    )


@command
def retire(*, actor: Actor, deployment: Deployment, reason: str) -> Deployment:
    """Stop serving a live or standby deployment; without a live one, the endpoint answers 503."""
    if not rights.may_steer(actor, deployment.endpoint):
        raise NotAllowed(f"You may not retire {deployment}; it needs the right to deploy.")
    reason = checked_text(reason, "reason", 2000, min_length=1, multiline=True)
    row = locked_deployment(deployment)
    was_live = row.status == Status.LIVE
    under_way = Deployment.objects.filter(endpoint=row.endpoint, status__in=Deployment.IN_FLIGHT).first()
    if was_live and under_way is not None:
        raise Conflict(
            f"{under_way.version} is being rolled out beside it; abort that rollout or let it end first.",
            code="rollout_under_way",
        )
    before = {"status": row.status}
    move(
        actor, row, Status.RETIRED, note=reason, changes_live=was_live, slot=NO_SLOT, weight=0, ended_at=Now()
    )
    if was_live:
        next_fence(row.endpoint)
        _switch(actor, row.endpoint, None)
    record(actor=actor, action="deployments.retired", target=row, before=before, reason=reason)
    tell("deployments.retired", row, was_live=was_live)
    return row


def why_not_target(endpoint: Endpoint, target: Deployment) -> Conflict | None:
    """Why an endpoint cannot be rolled back to this deployment; None if it can."""
    if target.endpoint_id != endpoint.pk or target.live_at is None:
        return Conflict(
            f"{target.version} was never live in {endpoint.environment}, so there is nothing to go back to.",
            code="never_live_here",
        )
    if target.pk == endpoint.live_id:
        return Conflict(f"{target.version} is live already.", code="already_live")
    if endpoint.live is not None and endpoint.live.version_id == target.version_id:
        return Conflict(f"{target.version} is live already, as a newer deployment.", code="already_live")
    if target.status == Status.ROLLED_BACK:
        return Conflict(
            f"{target.version} was itself rolled back; it needs a new approval.",
            code="target_was_rolled_back",
        )
    if target.status == Status.STANDBY:
        scorer = Scorer.objects.filter(deployment=target).first()
        if scorer is not None and scorer.status == Scorer.Status.FAILED:
            return Conflict(f"{target.version} cannot be served: {scorer.failure}", code="target_failed")
    return None


def _switch_back(actor: Actor, endpoint: Endpoint, target: Deployment, reason: str) -> Deployment:
    former = endpoint.live
    fence = next_fence(endpoint)
    if former is not None:
        former.endpoint = endpoint
        move(
            actor,
            former,
            Status.ROLLED_BACK,
            note=reason,
            slot=NO_SLOT,
            weight=0,
            ended_at=Now(),
            failure_code="rolled_back",
            failure=reason,
        )
    move(
        actor,
        target,
        Status.LIVE,
        note=f"Rolled back: {reason}",
        changes_live=True,
        slot=Slot.STABLE,
        weight=100,
        fence=fence,
        live_at=Now(),
        ended_at=None,
    )
    _switch(actor, endpoint, target)
    before = {"version": former.version.number, "deployment": str(former.pk)} if former else None
    after = {"version": target.version.number, "digest": target.digest, "fence": fence}
    record(
        actor=actor,
        action="deployments.rolled_back",
        target=endpoint,
        before=before,
        after=after,
        reason=reason,
        meaning="rolled back",
    )
    # Not the approval that once brought it here: this time a rollback did.
    tell("deployments.live", target, former=str(former.pk) if former else "", is_rollback=True, reference="")
    if former is not None:
        _tell_rolled_back(target, former, reason)
    start_next(actor, endpoint)
    return target


def _tell_rolled_back(now_live: Deployment, former: Deployment, reason: str = "") -> None:
    tell(
        "deployments.rolled_back",
        now_live,
        former=str(former.pk),
        former_version=str(former.version_id),
        former_version_number=former.version.number,
        former_reference=former.clearance.reference if former.clearance else "",
        reason=reason or now_live.reason,
    )


def _switch(actor: Actor, endpoint: Endpoint, live: Deployment | None) -> None:
    """The endpoint's truth and the environment's alias, together."""
    changed = Endpoint.objects.filter(pk=endpoint.pk, fence=endpoint.fence, live=endpoint.live_id)
    if endpoint.live_id is None:
        changed = Endpoint.objects.filter(pk=endpoint.pk, fence=endpoint.fence, live__isnull=True)
    if not changed.update(live=live, rev=F("rev") + 1):
        raise Conflict(f"{endpoint} has just been changed by someone else.")
    endpoint.live = live
    alias = endpoint.environment.alias
    if alias and is_protected_alias(alias):
        version = live.version if live else None
        move_protected_alias(actor=actor, model=endpoint.model, alias=alias, version=version)


def _step_down(actor: Actor, former: Deployment, successor: Deployment) -> None:
    """The former live version waits warm, in shadow if asked for; a rolled-back one does not wait."""
    former.endpoint = successor.endpoint
    if successor.is_rollback:
        move(
            actor,
            former,
            Status.ROLLED_BACK,
            note=successor.reason,
            slot=NO_SLOT,
            weight=0,
            ended_at=Now(),
            failure_code="rolled_back",
            failure=successor.reason,
        )
        return
    slot = Slot.SHADOW if successor.shadows_former else NO_SLOT
    note = f"Replaced by {successor.version}; stays warm{' and shadows it' if slot else ''}."
    move(actor, former, Status.STANDBY, note=note, slot=slot, weight=0, ended_at=Now())


def _retire_cold(actor: Actor, endpoint: Endpoint) -> None:
    standbys = Deployment.objects.filter(endpoint=endpoint, status=Status.STANDBY).order_by(
        "-ended_at", "-pk"
    )
    for old in standbys.select_related("version__model")[WARM_PER_ENDPOINT:]:
        old.endpoint = endpoint
        move(actor, old, Status.RETIRED, note="Two versions have gone live since.", slot=NO_SLOT)
        record(actor=actor, action="deployments.retired", target=old)


def _abort_rollout(actor: Actor, endpoint: Endpoint, why: str) -> None:
    waiting = Deployment.objects.filter(endpoint=endpoint, status__in=Deployment.BEFORE_LIVE)
    for under_way in waiting.select_for_update(of=("self",)).select_related("version__model", "clearance"):
        under_way.endpoint = endpoint
        move(
            actor,
            under_way,
            Status.ABORTED,
            note=why,
            slot=NO_SLOT,
            weight=0,
            ended_at=Now(),
            failure_code="overtaken",
            failure=why,
        )
        record(actor=actor, action="deployments.aborted", target=under_way, reason=why)
        tell("deployments.aborted", under_way, code="overtaken", failure=why, is_automatic=True)
