"""Asking for a promotion, and taking the question back."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account
from approvals import rights
from approvals.locks import locked_request
from approvals.models import Policy, PolicyRevision, PromotionRequest
from approvals.services.judging import judge_gates
from audit.services import command, record
from core.actors import Actor, need_of
from core.errors import Conflict, NotAllowed, PreconditionFailed
from core.jobs import enqueue
from core.text import checked_text
from deployments.models import Endpoint, Environment
from deployments.services import require_deployable
from registry.evaluations.models import Evaluation
from registry.evaluations.services import request_evaluation
from registry.locks import keep_in_place
from registry.models import ModelVersion, VersionDataset

JUDGE = "approvals.judge_gates"
Status = PromotionRequest.Status


@command(refusals=(NotAllowed, Conflict))
def request_promotion(
    *, actor: Actor, version: ModelVersion, environment: Environment, why: str, known_limits: str = ""
) -> PromotionRequest:
    """Ask that a version go to an environment; its evidence is gathered at once."""
    if not rights.may_request(actor, version):
        raise NotAllowed(f"You may not request promotions of {version.model}; {need_of(actor, 'propose')}.")
    if actor.account_id is None:
        raise NotAllowed("A request is opened by an account, so that somebody answers for it.")
    why = checked_text(why, "why", 5000, min_length=10, multiline=True)
    known_limits = checked_text(known_limits, "known_limits", 5000, multiline=True)
    keep_in_place(version)
    require_deployable(version)
    revision = policy_for(version, environment)
    champion = champion_in(version, environment)
    if champion is not None and champion.pk == version.pk:
        raise Conflict(f"{version} is live in {environment} already.", code="already_live")
    try:
        with transaction.atomic():
            promotion = PromotionRequest.objects.create(
                version=version,
                champion=champion,
                environment=environment,
                policy_revision=revision,
                why=why,
                known_limits=known_limits,
                digest=version.digest,
                requested_by=Account.objects.select_related("person").get(pk=str(actor.account_id)),
                expires_at=timezone.now() + revision.rules.expires_after,
            )
    except IntegrityError:
        raise _open_already(version, environment) from None
    after = {
        "version": version.number,
        "digest": version.digest,
        "environment": environment.name,
        "champion": champion.number if champion else None,
        "why": why,
        "requester": str(actor.person_id),
        "contributors": sorted(str(person) for person in rights.contributors(promotion)),
        "quorum": revision.document["quorum"],
    }
    record(
        actor=actor, action="approvals.requested", target=promotion, after=after, policy=promotion.as_policy()
    )
    gather(actor, promotion)
    promotion.refresh_from_db()
    return promotion


def gather(actor: Actor, promotion: PromotionRequest) -> None:
    """Have the candidate evaluated against the champion on its own hold-out, then judge the gates."""
    holdout = (
        VersionDataset.objects.filter(version=promotion.version, role=VersionDataset.Role.HOLDOUT)
        .select_related("dataset_version__dataset")
        .first()
    )
    evaluation = None
    if holdout is not None:
        evaluation = request_evaluation(
            actor=Actor.system(),
            candidate=promotion.version,
            champion=promotion.champion,
            dataset_version=holdout.dataset_version,
        )
        PromotionRequest.objects.filter(pk=promotion.pk).update(evaluation=evaluation)
    if evaluation is None or evaluation.status in {Evaluation.Status.SUCCEEDED, Evaluation.Status.FAILED}:
        enqueue(JUDGE, subject=promotion, actor=actor, model=promotion.version.model)


@command(refusals=(NotAllowed, Conflict, PreconditionFailed))
def edit_request(
    *,
    actor: Actor,
    promotion: PromotionRequest,
    revision: int,
    why: str | None = None,
    known_limits: str | None = None,
) -> PromotionRequest:
    """Correct the words of a request: a new revision, and what was signed on the old one is void."""
    if not rights.may_edit(actor, promotion):
        raise NotAllowed("You may not edit this request; it needs the right to propose.")
    row = locked_request(promotion)
    if row.status not in row.OPEN:
        raise Conflict(f"The request is {row.word.lower()}, so it cannot be edited.", code="not_pending")
    if revision != row.rev:
        raise PreconditionFailed(
            f"You saw revision {revision}; the request is at revision {row.rev} now. Read it again.",
            extra={"seen": revision, "current": row.rev},
        )
    before = {"why": row.why, "known_limits": row.known_limits}
    if why is not None:
        row.why = checked_text(why, "why", 5000, min_length=10, multiline=True)
    if known_limits is not None:
        row.known_limits = checked_text(known_limits, "known_limits", 5000, multiline=True)
    after = {"why": row.why, "known_limits": row.known_limits}
    if after == before:
        return row
    PromotionRequest.objects.filter(pk=row.pk).update(**after)
    record(actor=actor, action="approvals.revised", target=row, before=before, after=after)
    if row.is_judged:
        return judge_gates(actor=actor, promotion=row)
    return row


@command
def withdraw(*, actor: Actor, promotion: PromotionRequest, reason: str) -> PromotionRequest:
    """Take the question back before it is answered by a deployment."""
    if not rights.may_withdraw(actor, promotion):
        raise NotAllowed("Only the requester, or whoever may deploy the model, may withdraw the request.")
    row = locked_request(promotion)
    row.move_to(Status.CANCELLED, decided_at=Now())
    record(
        actor=actor,
        action="approvals.withdrawn",
        target=row,
        reason=checked_text(reason, "reason", 2000, multiline=True),
    )
    return row


@command
def expire(*, actor: Actor, promotion: PromotionRequest) -> PromotionRequest:
    """Nobody decided in time, or an approval was not used in time."""
    row = locked_request(promotion)
    row.move_to(Status.EXPIRED, decided_at=Now())
    record(actor=actor, action="approvals.expired", target=row)
    return row


def policy_for(version: ModelVersion, environment: Environment) -> PolicyRevision:
    """The policy in force there for the model's risk tier, or Conflict."""
    revision = Policy.objects.in_force(environment, version.model.tier)
    if revision is not None:
        return revision
    raise Conflict(
        f"{environment} has no policy for models of the {version.model.tier} risk tier, so it takes no promotions."
        " An admin can add one.",
        code="no_policy",
    )


def champion_in(version: ModelVersion, environment: Environment) -> ModelVersion | None:
    """What is live there now."""
    endpoint = (
        Endpoint.objects.filter(model=version.model_id, environment=environment)
        .select_related("live__version__model")
        .first()
    )
    return endpoint.live.version if endpoint is not None and endpoint.live is not None else None


def _open_already(version: ModelVersion, environment: Environment) -> Conflict:
    open_one = PromotionRequest.objects.under_way().get(version=version, environment=environment)
    return Conflict(
        f"There is a request for {version} in {environment} already: {open_one.address}",
        code="request_open",
        extra={"request": str(open_one.pk), "address": open_one.address},
    )
