"""Grants on one object: a right given to a person or a group, until it is revoked or expires.

An app that grants rights on its objects makes two tables from these bases (direct foreign
keys, so that a deleted object takes its grants along) and reads them through ``granted_ids``.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from core.actors import Actor


class Grant(models.Model):
    """What both kinds of grant say about themselves."""

    granted_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000, blank=True, default="")

    class Meta:
        abstract = True


class AccountGrant(Grant, UserObjectPermissionBase):
    """A right on one object, given to a person through one of their accounts."""

    class Meta(UserObjectPermissionBase.Meta):
        abstract = True


class GroupGrant(Grant, GroupObjectPermissionBase):
    """A right on one object, given to everybody in a group."""

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = True


def granted_ids(
    actor: Actor, right: str, to_accounts: type[AccountGrant], to_groups: type[GroupGrant]
) -> models.QuerySet[Any]:
    """Primary keys of the objects on which the actor holds ``right`` at this moment.

    A grant to one account of a person counts for all of them; grants to inactive accounts and
    expired ones count for nobody.
    """
    if not actor.is_active or not actor.scope_allows(right):
        return to_accounts._default_manager.none().values("content_object_id")
    now = Q(permission__codename=right) & (Q(expires_at__isnull=True) | Q(expires_at__gt=Now()))
    own = to_accounts._default_manager.filter(now, user__person_id=actor.person_id, user__is_active=True)
    if not actor.group_ids:
        return own.values("content_object_id")
    of_groups = to_groups._default_manager.filter(now, group_id__in=actor.group_ids)
    return own.values("content_object_id").union(of_groups.values("content_object_id"), all=True)


def is_granted(
    actor: Actor, right: str, on: models.Model, to_accounts: type[AccountGrant], to_groups: type[GroupGrant]
) -> bool:
    """Whether a grant gives the actor this right on this object."""
    if not actor.is_active or not actor.scope_allows(right):
        return False
    now = Q(permission__codename=right, content_object=on.pk) & (
        Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
    )
    if to_accounts._default_manager.filter(
        now, user__person_id=actor.person_id, user__is_active=True
    ).exists():
        return True
    return (
        bool(actor.group_ids)
        and to_groups._default_manager.filter(now, group_id__in=actor.group_ids).exists()
    )


def permission_for(kind: type[models.Model], right: str) -> Permission:
    """Django's permission row that stands for a right on objects of this kind."""
    return Permission.objects.get_or_create(
        content_type=ContentType.objects.get_for_model(kind),
        codename=right,
        defaults={"name": f"May {right}"},
    )[0]
