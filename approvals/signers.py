"""Whether there is anybody who could sign: people of the quorum's roles whom the exclusions leave."""

from __future__ import annotations

from collections.abc import Mapping, Set
from uuid import UUID

from accounts.actors import actor_for
from accounts.models import Account, Person
from accounts.roles import rights_of
from approvals import rights
from approvals.models import PolicyRevision, PromotionRequest
from approvals.quorum import missing
from core.actors import Actor, holds
from registry.answers import Answer
from registry.models import ModelVersion, RegisteredModel

People = Mapping[UUID, Set[str]]


def shortage_of(promotion: PromotionRequest) -> Answer | None:
    """What to tell when a request can never have its quorum as things are; None when it can."""
    quorum = promotion.policy_revision.rules.quorum
    if not quorum:
        return None
    known = _people(promotion.version.model, quorum)
    excluded = rights.contributors(promotion)
    left = {person: roles for person, roles in known.items() if person not in excluded}
    lacking = missing(quorum, left)
    if not lacking:
        return None
    return _told(quorum, lacking, known, left)


def shortage_for(actor: Actor, version: ModelVersion, revision: PolicyRevision) -> Answer | None:
    """The same before anybody asks, with the reader as the one who would."""
    asked = PromotionRequest(version=version, policy_revision=revision)
    if rights.may_request(actor, version):
        asked.requested_by_id = actor.account_id
    return shortage_of(asked)


def _people(model: RegisteredModel, quorum: Mapping[str, int]) -> dict[UUID, set[str]]:
    """People with an active account in a role of the quorum that may approve, with those roles."""
    rows = Account.objects.filter(
        is_active=True, person__kind=Person.Kind.PERSON, groups__name__in=list(quorum)
    )
    people: dict[UUID, set[str]] = {}
    for account in rows.distinct().select_related("person").prefetch_related("groups"):
        roles = frozenset(group.name for group in account.groups.all())
        if "approve" in rights_of(roles) or holds(actor_for(account), "approve", model):
            people.setdefault(account.person_id, set()).update(roles & quorum.keys())
    return people


def _told(quorum: Mapping[str, int], lacking: Mapping[str, int], known: People, left: People) -> Answer:
    nobody = [role for role in lacking if not _holders(role, left)]
    title = (
        f"Nobody can sign as {' or '.join(nobody)}"
        if nobody
        else f"Too few people can sign as {' or '.join(lacking)}"
    )
    return Answer("warn", "users", title, f"{_why(quorum, nobody, known, left)} {REMEDY}", forbids=True)


def _why(quorum: Mapping[str, int], nobody: list[str], known: People, left: People) -> str:
    if not nobody:
        wanted = ", ".join(f"{count} {role}{'s' * (count > 1)}" for role, count in quorum.items())
        return f"The policy asks for {wanted}, each a different person, and {len(left)} can decide."
    if any(_holders(role, known) for role in nobody):
        return "Who has the role asks for the promotion or contributed to the version, so others must decide."
    return "No active account has the role."


def _holders(role: str, people: People) -> int:
    return sum(role in roles for roles in people.values())


REMEDY = "Until an admin gives the role to somebody else, a request would wait in vain."
