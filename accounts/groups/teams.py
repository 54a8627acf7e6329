"""Groups that are teams: rights on single models are granted to them, no role comes with them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet

from accounts.grants import GroupGrant, kinds_of_group_grants
from accounts.models import Account, Membership
from accounts.roles import ROLES
from accounts.sight import require_sight
from core.actors import Actor
from core.errors import NotFound


def oversees_people(actor: Actor) -> bool:
    """Admins and auditors see everybody and every group; others only where they belong."""
    return actor.holds_everywhere("administer") or actor.holds_everywhere("audit")


def teams_visible_to(actor: Actor) -> QuerySet[Group]:
    """With how many accounts each has; roles are no teams."""
    require_sight(actor)
    teams = Group.objects.exclude(name__in=ROLES).annotate(member_count=Count("membership"))
    return teams if oversees_people(actor) else teams.filter(pk__in=actor.group_ids)


def find_team(actor: Actor, name: str) -> Any:
    """The group of this name, or 404 alike for what is not there and what may not be seen."""
    team = None if "\x00" in name else teams_visible_to(actor).filter(name=name).first()
    if team is None:
        raise NotFound(f"There is no group named {name[:150].replace(chr(0), ' ')!r}.")
    return team


def members_of(team: Group) -> QuerySet[Membership]:
    return Membership.objects.filter(group=team).select_related("account__person", "given_by")


def find_member(team: Group, name: str) -> Membership:
    member = None if "\x00" in name else members_of(team).filter(account__username__iexact=name).first()
    if member is None:
        raise NotFound(f"Nobody named {name[:150].replace(chr(0), ' ')!r} is in {team.name}.")
    return member


def find_account(actor: Actor, name: str) -> Account:
    """An account the actor may know of, or 404."""
    seen = Account.objects.visible_to(actor)
    account = None if "\x00" in name else seen.filter(username__iexact=name).first()
    if account is None:
        raise NotFound(f"There is no account named {name[:150].replace(chr(0), ' ')!r}.")
    return account


def grants_to(team: Group, kind: type[GroupGrant]) -> QuerySet[Any]:
    """What of one kind was granted to a group, oldest first."""
    grants = kind._default_manager.filter(group_id=team.pk).order_by("pk")
    return grants.select_related("permission", "content_object", "granted_by", "group")


def grant_counts(team: Group) -> dict[str, int]:
    """How many grants go when the group goes, by the word for what they are on."""
    return {
        word: kind._default_manager.filter(group_id=team.pk).count()
        for word, kind in kinds_of_group_grants().items()
    }
