"""Policies and their revisions."""

from __future__ import annotations

from approvals import policy as documents
from approvals.locks import locked_request
from approvals.models import Policy, PolicyRevision, PromotionRequest
from approvals.services.judging import void_approvals
from approvals.services.requests import JUDGE
from audit.services import command, record
from core.actors import Actor, holds
from core.errors import Invalid, NotAllowed
from core.jobs import enqueue
from core.text import checked_text
from deployments.models import Environment
from registry.services import is_protected_alias, protect_alias

Status = PromotionRequest.Status


@command
def add_revision(*, actor: Actor, name: str, text: str, reason: str) -> PolicyRevision:
    """A new text of a policy; requests under way are judged by it from now on."""
    if not holds(actor, "administer"):
        raise NotAllowed("You may not change policies; it needs the right to administer.")
    rules = documents.parse(text)
    environment = Environment.objects.filter(name=rules.environment).first()
    if environment is None:
        allowed = ", ".join(Environment.objects.values_list("name", flat=True))
        raise Invalid(f"There is no environment {rules.environment}.", field="environment", allowed=allowed)
    name = checked_text(name, "name", 60, min_length=1)
    policy, _ = Policy.objects.get_or_create(name=name, defaults={"environment": environment})
    if policy.environment_id != environment.pk:
        raise Invalid(
            f"{policy} is a policy of {policy.environment}.",
            field="environment",
            allowed=policy.environment.name,
        )
    before = Policy.objects.select_for_update().get(pk=policy.pk).current()
    if before is not None and before.sha256 == rules.sha256:
        return before
    revision = PolicyRevision.objects.create(
        policy=policy,
        number=before.number + 1 if before else 1,
        text=text,
        document=rules.document,
        sha256=rules.sha256,
        reason=checked_text(reason, "reason", 1000, multiline=True),
        created_by_name=actor.account_name,
    )
    if rules.alias and not is_protected_alias(rules.alias):
        protect_alias(actor=actor, alias=rules.alias)
    record(
        actor=actor,
        action="approvals.policy_revised",
        target=policy,
        before={"revision": before.number, "sha256": before.sha256} if before else None,
        after={
            "revision": revision.number,
            "sha256": revision.sha256,
            "environment": environment.name,
            "quorum": rules.document["quorum"],
        },
        reason=reason,
    )
    waiting = PromotionRequest.objects.filter(
        policy_revision__policy=policy, status__in=PromotionRequest.OPEN
    )
    for promotion in waiting.order_by("pk"):
        apply_current_policy(actor, locked_request(promotion))
        enqueue(JUDGE, subject=promotion, actor=actor, model=promotion.version.model)
    return revision


def apply_current_policy(actor: Actor, row: PromotionRequest) -> None:
    """Bind a request (locked) to the policy's newest revision; what was signed under the old one is void."""
    current = row.policy_revision.policy.current()
    if current is None or current.pk == row.policy_revision_id:
        return
    before = row.as_policy()
    PromotionRequest.objects.filter(pk=row.pk).update(policy_revision=current)
    row.policy_revision = current
    void_approvals(actor, row, f"The policy changed: r{before['version']} to r{current.number}")
    record(
        actor=actor,
        action="approvals.policy_applied",
        target=row,
        before=before,
        after={**row.as_policy(), "quorum": current.document["quorum"]},
    )
