"""Who may ask, decide, withdraw; and who contributed, so may not decide."""

from __future__ import annotations

from uuid import UUID

from approvals.models import PromotionRequest
from audit.models import Event
from core.actors import Actor, holds
from registry.models import ModelVersion

EDITS = (
    "registry.version_updated",
    "registry.tag_set",
    "registry.tag_deleted",
)


def may_request(actor: Actor, version: ModelVersion) -> bool:
    return holds(actor, "propose", version.model)


def may_withdraw(actor: Actor, promotion: PromotionRequest) -> bool:
    """The requester; or whoever may deploy the model."""
    return actor.person_id == promotion.requested_by.person_id or holds(
        actor, "deploy", promotion.version.model
    )


def may_evaluate_again(actor: Actor, promotion: PromotionRequest) -> bool:
    """Whoever may ask for promotions of the model, or approve them: evaluating edits and decides nothing."""
    model = promotion.version.model
    return holds(actor, "propose", model) or holds(actor, "approve", model)


def may_decide(actor: Actor, promotion: PromotionRequest) -> bool:
    """Holders of the right to approve, in a role the quorum asks for; never a contributor."""
    return why_not_decide(actor, promotion) is None


def why_not_decide(actor: Actor, promotion: PromotionRequest) -> tuple[str, str] | None:
    """None when the actor may decide; else a code and a sentence for them."""
    person = actor.person_id
    if person is not None and person == promotion.requested_by.person_id:
        return "self_approval", "You opened this request, so others decide on it."
    if person is not None and person in contributors(promotion):
        return "contributor_approval", "You contributed to this version or request, so others decide on it."
    if actor.kind != "person":
        return "not_a_person", "Only people decide; services and automation never approve."
    if not actor.is_interactive:
        return "interactive_required", "Deciding needs a browser session; a token never decides."
    if not holds(actor, "approve", promotion.version.model):
        return "not_allowed", "You may not decide on this request; it needs the right to approve."
    if not roles_for(actor, promotion):
        wanted = ", ".join(promotion.policy_revision.rules.quorum)
        return "no_quorum_role", f"The policy asks for decisions by: {wanted}. You have none of these roles."
    return None


def may_edit(actor: Actor, promotion: PromotionRequest) -> bool:
    """Whoever may ask for promotions of the model may also correct the words of a request."""
    return may_request(actor, promotion.version)


def roles_for(actor: Actor, promotion: PromotionRequest) -> list[str]:
    """The quorum's roles that the actor has."""
    return [role for role in promotion.policy_revision.rules.quorum if role in actor.roles]


def contributors(promotion: PromotionRequest) -> set[UUID]:
    """People the policy excludes: linked accounts and tokens count as their person."""
    excluded = promotion.policy_revision.rules.exclude
    people: set[UUID] = set()
    if "requester" in excluded and promotion.requested_by_id is not None:
        people.add(promotion.requested_by.person_id)
    if "registrant" in excluded and (registrant := _registrant(promotion.version)) is not None:
        people.add(registrant)
    if "version_editor" in excluded:
        people |= _editors("registry.modelversion", str(promotion.version_id), EDITS)
    if "request_editor" in excluded:
        people |= _editors(
            "approvals.promotionrequest", str(promotion.pk), ("approvals.revised", "approvals.requested")
        )
    return people


def _registrant(version: ModelVersion) -> UUID | None:
    """An imported version was registered by nobody here: its model's owner stands for whoever it was."""
    return version.model.owner_id if version.created_by is None else version.created_by.person_id


def _editors(kind: str, identifier: str, actions: tuple[str, ...]) -> set[UUID]:
    """Who the ledger says changed an object."""
    events = Event.objects.about(kind, identifier).filter(fields__action__in=actions, fields__outcome="ok")
    names = events.values_list("fields__actor__person_id", flat=True).distinct()
    return {UUID(name) for name in names if name}
