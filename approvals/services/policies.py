"""Policies and their revisions."""

from __future__ import annotations

from approvals import policy as documents
from approvals.models import Policy, PolicyRevision
from audit.services import command, record
from core.actors import Actor, holds
from core.errors import Invalid, NotAllowed
from core.text import checked_text
from deployments.models import Environment
from registry.services import is_protected_alias, protect_alias


@command
def add_revision(*, actor: Actor, name: str, text: str, reason: str) -> PolicyRevision:
    """A new text of a policy; requests keep the one they were opened under."""
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
        after={"revision": revision.number, "sha256": revision.sha256},
        reason=reason,
    )
    return revision
