"""Grants on one object: a right given to a person or a group, until it is revoked or expires.

An app that grants rights on its objects makes two tables from these bases (direct foreign
keys, so that a deleted object takes its grants along) and reads them through ``granted``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from accounts.grant_lookup import MANY, GrantTables, can_hold_grants, parameters
from core.actors import Actor
from core.hot_reads import fetch_row

# Stands for the row in a text until the query says what it calls it.
ROW = "{row}"
KNOWN = "%s::int"


class Grant(models.Model):
    """What both kinds of grant say about themselves."""

    granted_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000, blank=True, default="")

    class Meta:
        abstract = True


# Indexes of one column would be maintained for nothing: two of more columns serve every question.
class AccountGrant(Grant, UserObjectPermissionBase):
    """A right on one object, given to a person through one of their accounts."""

    user = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, db_index=False)
    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, db_index=False)

    class Meta(UserObjectPermissionBase.Meta):
        abstract = True


class GroupGrant(Grant, GroupObjectPermissionBase):
    """A right on one object, given to everybody in a group."""

    # The word for what it is on, where all kinds are listed together.
    ON: ClassVar[str]

    group = models.ForeignKey(Group, on_delete=models.CASCADE, db_index=False)
    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, db_index=False)

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = True


def kinds_of_group_grants() -> dict[str, type[GroupGrant]]:
    """Every table of grants to groups, by the word for what they are on."""
    kinds = [kind for kind in apps.get_models() if issubclass(kind, GroupGrant)]
    return {kind.ON: kind for kind in sorted(kinds, key=lambda each: each.ON)}


class Granted(models.Func):
    """Whether a grant gives an actor a right on the row whose key is the argument."""

    output_field = models.BooleanField()

    def __init__(self, row: Any, *, text: str, parameters: Sequence[Any]) -> None:
        super().__init__(row)
        self.text, self.parameters = text, list(parameters)

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        row, _none = compiler.compile(self.source_expressions[0])
        return self.text.replace(ROW, row), list(self.parameters)


def granted(
    actor: Actor, right: str, to_accounts: type[AccountGrant], to_groups: type[GroupGrant]
) -> Granted | Q:
    """A condition: the rows on which the actor holds ``right`` at this moment, by role or by grant."""
    return Q() if actor.holds_everywhere(right) else granted_by_name(actor, right, to_accounts, to_groups)


def granted_by_name(
    actor: Actor, right: str, to_accounts: type[AccountGrant], to_groups: type[GroupGrant]
) -> Granted | Q:
    """The same where no role gives the right: the rows that were granted one by one."""
    if not can_hold_grants(actor, right):
        return Q(pk__in=())
    tables = tables_of(to_accounts, to_groups)
    permission, many = holding(actor, right, tables)
    text = tables.probed(ROW, KNOWN) if many else tables.listed(ROW, KNOWN)
    return Granted(F("pk"), text=text, parameters=parameters(actor, permission))


@cache
def tables_of(to_accounts: type[AccountGrant], to_groups: type[GroupGrant]) -> GrantTables:
    kind = to_accounts._meta.get_field("content_object").related_model._meta
    return GrantTables(to_accounts._meta.db_table, to_groups._meta.db_table, kind.app_label, kind.model_name)


def holding(actor: Actor, right: str, tables: GrantTables) -> tuple[int | None, bool]:
    """The right's permission, and whether the actor holds many grants of it; asked once per actor.

    The second says which statement of the rule is the faster one. Both are right.
    """
    known = actor.extra.setdefault("holding", {})
    key = (tables.to_accounts, right)
    if key not in known:
        row = fetch_row(tables.counted, [right, *parameters(actor, right)])
        known[key] = (row[0], row[1] >= MANY) if row else (None, False)
    permission, many = known[key]
    return permission, many


def is_granted(
    actor: Actor, right: str, on: models.Model, to_accounts: type[AccountGrant], to_groups: type[GroupGrant]
) -> bool:
    """Whether a grant gives the actor this right on this object."""
    if not can_hold_grants(actor, right):
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
