"""Naming sources of data sets, and saying who may use them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.grants import permission_for
from accounts.models import Account
from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.text import checked_text
from pipelines.sources import rights
from pipelines.sources.models import Source, SourceAccountGrant, SourceGroupGrant
from pipelines.sources.places import checked_bucket, checked_endpoint, checked_prefix, checked_region

NAME = re.compile(r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?\Z")
NAME_RULE = "1 to 63 small letters, digits, '-' and '_', the first and last a letter or digit"
USE = "register"
Kind = Source.Kind
Grant = SourceAccountGrant | SourceGroupGrant


@command
def add_source(
    *,
    actor: Actor,
    name: str,
    kind: str,
    description: str = "",
    endpoint: str = "",
    bucket: str = "",
    prefix: str = "",
    region: str = "us-east-1",
    addressing: str = Source.Addressing.PATH,
    credentials: str = "",
) -> Source:
    """Name a database or a part of a bucket; nobody may use it until it is granted to them."""
    _require(actor, "name sources of data")
    place = {"endpoint": endpoint, "bucket": bucket, "prefix": prefix, "credentials": credentials}
    source = Source(
        name=_checked_name(name),
        kind=_one_of(kind, "kind", Kind.values),
        description=checked_text(description, "description", 1000, multiline=True),
        created_by_id=actor.account_id,
    )
    if source.is_s3:
        _set_place(source, place, region, addressing)
    else:
        _check_database(source, place)
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError:
        raise Conflict(
            f"A source named {source.name} already exists.", field="name", code="name_taken"
        ) from None
    source.refresh_from_db()
    record(actor=actor, action="pipelines.source_added", target=source, after=_facts(source))
    return source


@command
def remove_source(*, actor: Actor, source: Source, reason: str) -> None:
    """Nobody reads from it any more; what was read stays as it is."""
    _require(actor, "remove sources of data")
    reason = _checked_reason(reason)
    record(
        actor=actor, action="pipelines.source_removed", target=source, before=_facts(source), reason=reason
    )
    source.delete()


@command
def require_granting(*, actor: Actor, source: Source) -> None:
    """Refuse who may not say who uses the source, before names of people and groups are looked up."""
    _require(actor, "say who uses sources of data")


@command
def grant_use(
    *,
    actor: Actor,
    source: Source,
    reason: str,
    account: Account | None = None,
    group: Group | None = None,
    expires_at: datetime | None = None,
) -> Grant:
    """Let a person or a group read data set versions from a source; granted again, the end moves."""
    _require(actor, "say who uses sources of data")
    kind, holder = _holder(account, group)
    reason = _checked_reason(reason)
    if account is not None and not account.is_active:
        raise Invalid(f"{account} is deactivated.", field="account", allowed="an active account")
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("expires_at must be in the future.", field="expires_at", allowed="a time to come")
    about = {"granted_by_id": actor.account_id, "reason": reason, "expires_at": expires_at}
    given, _ = kind.objects.update_or_create(
        **holder,
        content_object=source,
        permission=permission_for(Source, USE),
        defaults={**about, "granted_at": timezone.now()},
    )
    after = {**_to_ledger(account, group), "expires_at": expires_at.isoformat() if expires_at else None}
    record(actor=actor, action="pipelines.source_granted", target=source, after=after, reason=reason)
    return given


@command
def revoke_use(
    *,
    actor: Actor,
    source: Source,
    reason: str,
    account: Account | None = None,
    group: Group | None = None,
) -> None:
    """Take the use of a source back."""
    _require(actor, "say who uses sources of data")
    kind, holder = _holder(account, group)
    reason = _checked_reason(reason)
    gone, _ = kind.objects.filter(**holder, content_object=source).delete()
    if not gone:
        raise NotFound(f"{account or group} was not granted the use of {source}.")
    before = _to_ledger(account, group)
    record(actor=actor, action="pipelines.source_revoked", target=source, before=before, reason=reason)


def _set_place(source: Source, place: dict[str, str], region: str, addressing: str) -> None:
    source.endpoint = checked_endpoint(place["endpoint"])
    source.bucket = checked_bucket(place["bucket"])
    prefix = checked_prefix(place["prefix"])
    # Closed with a slash: "team" must not reach into "team-b".
    source.prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    source.region = checked_region(region)
    source.addressing = _one_of(addressing, "addressing", Source.Addressing.values)
    source.credentials = place["credentials"].lower()
    if source.credentials and source.credentials not in settings.DATASETS_S3_KEYS:
        raise Invalid(
            f"There are no keys of that name; the environment variable would be"
            f" S3_SOURCE_KEYS_{source.credentials.upper()[:63]}.",
            field="credentials",
            allowed=", ".join(settings.DATASETS_S3_KEYS) or "empty, for a bucket that everybody may read",
        )


def _check_database(source: Source, place: dict[str, str]) -> None:
    for field, value in place.items():
        if value:
            raise Invalid(f"{field} is for S3 sources.", field=field, allowed="nothing")
    if source.name not in settings.DATASETS_SQL_SOURCES:
        raise Invalid(
            f"No database of that name is configured; the environment variable would be"
            f" SQL_SOURCE_{source.name.upper()}.",
            field="name",
            allowed=", ".join(settings.DATASETS_SQL_SOURCES) or "none is configured",
        )


def _facts(source: Source) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": source.name, "kind": source.kind}
    if source.is_s3:
        names = ("endpoint", "bucket", "prefix", "region", "addressing", "credentials")
        facts |= {name: getattr(source, name) for name in names}
    return facts


def _holder(account: Account | None, group: Group | None) -> tuple[Any, dict[str, Any]]:
    if (account is None) == (group is None):
        raise Invalid(
            "Name either an account or a group.", field="account", allowed="an account or a group, not both"
        )
    return (SourceAccountGrant, {"user": account}) if account else (SourceGroupGrant, {"group": group})


def _to_ledger(account: Account | None, group: Group | None) -> dict[str, str]:
    """Groups by name; people by id only, so that the ledger holds no name of theirs in clear."""
    if account is not None:
        return {"account_id": str(account.pk), "person_id": str(account.person_id)}
    return {"group": str(group)}


def _checked_name(value: str) -> str:
    name = checked_text(value, "name", 63, min_length=1).lower()
    if not NAME.match(name):
        raise Invalid(f"name must be {NAME_RULE}.", field="name", allowed=NAME_RULE)
    return name


def _checked_reason(value: str) -> str:
    return checked_text(value, "reason", 1000, min_length=1, multiline=True)


def _one_of(value: str, field: str, allowed: list[str]) -> str:
    if value not in allowed:
        raise Invalid(
            f"{field} must be one of: {', '.join(allowed)}.", field=field, allowed=", ".join(allowed)
        )
    return value


def _require(actor: Actor, what: str) -> None:
    if not rights.may_administer(actor):
        raise NotAllowed(f"Only administrators {what}.")
