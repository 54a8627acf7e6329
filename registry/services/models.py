"""Changes to registered models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from accounts.models import Person
from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed, ProbedName
from core.hot_rows import insert_row
from core.looks import look_sha256
from core.text import checked_text
from registry import rights
from registry.access.services import give_creator_rights
from registry.locks import locked_model, touch, wait_for_keepers
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from registry.names import checked_name
from registry.retention import reason_to_keep_name, reasons_to_keep
from registry.services.tags import checked_tags, put_first_tags
from registry.storage.tombstones import bury
from registry.taken import ConfusableName, refuse_taken

LONGEST_DESCRIPTION = 5000
UNCHANGED: Any = object()


class HeldName(Conflict):
    """Callers in production use the name: changing it is a change there, which takes an approval."""


@command(refusals=(NotAllowed, ProbedName, ConfusableName))
def create_model(
    *,
    actor: Actor,
    name: str,
    description: str = "",
    tags: Mapping[str, str] | None = None,
    owner: Person | None = None,
    on_call: Person | None = None,
    tier: str = RegisteredModel.Tier.MEDIUM,
) -> RegisteredModel:
    """Create a registered model; its creator owns it and may register, propose and administer."""
    if not rights.may_create(actor):
        raise NotAllowed("You may not create registered models; the role data-scientist may.")
    name, named = checked_name(name), _active(owner, "owner")
    model = RegisteredModel(
        name=name,
        description=checked_description(description),
        look_sha256=look_sha256(name),
        owner_id=named.pk if named is not None else actor.person_id,
        on_call=_active(on_call, "on_call"),
        tier=checked_tier(tier),
        created_by_id=actor.account_id,
    )
    pairs = checked_tags(tags or {})
    refuse_taken(actor, model)
    insert_row(model)
    put_first_tags(model, pairs)
    give_creator_rights(actor, model)
    record(actor=actor, action="registry.model_created", target=model, after=_facts(model))
    return model


@command
def update_model(
    *,
    actor: Actor,
    model: RegisteredModel,
    description: str = UNCHANGED,
    owner: Person | None = UNCHANGED,
    on_call: Person | None = UNCHANGED,
    tier: str = UNCHANGED,
    expected_rev: int | None = None,
) -> RegisteredModel:
    """Change what people say of a model; naming people and the tier needs administer."""
    governed = any(each is not UNCHANGED for each in (owner, on_call, tier))
    if not (rights.may_administer(actor, model) or (not governed and rights.may_register(actor, model))):
        what = "name the owner, the on-call person or the tier of" if governed else "describe"
        raise NotAllowed(
            f"You may not {what} {model}; it needs the right to {'administer' if governed else 'register'}."
        )
    row = locked_model(model, expected_rev)
    before = _facts(row)
    if description is not UNCHANGED:
        row.description = checked_description(description)
    if owner is not UNCHANGED:
        row.owner = _active(owner, "owner", current=row.owner)
    if on_call is not UNCHANGED:
        row.on_call = _active(on_call, "on_call", current=row.on_call)
    if tier is not UNCHANGED:
        row.tier = checked_tier(tier)
    row.save(update_fields=["description", "owner", "on_call", "tier"])
    touch(row)
    record(actor=actor, action="registry.model_updated", target=row, before=before, after=_facts(row))
    return row


@command(refusals=(NotAllowed, ProbedName, ConfusableName, HeldName))
def rename_model(
    *, actor: Actor, model: RegisteredModel, new_name: str, expected_rev: int | None = None
) -> RegisteredModel:
    """Give a model another name; versions, aliases, grants and history stay with it."""
    if not rights.may_administer(actor, model):
        raise NotAllowed(f"You may not rename {model}; it needs the right to administer.")
    new_name = checked_name(new_name, "new_name")
    row = locked_model(model, expected_rev)
    before = row.name
    row.name, row.look_sha256 = new_name, look_sha256(new_name)
    if new_name != before:
        _refuse_held_name(row, before)
        refuse_taken(actor, row)
    row.save(update_fields=["name", "look_sha256"])
    touch(row)
    record(
        actor=actor,
        action="registry.model_renamed",
        target=row,
        before={"name": before},
        after={"name": new_name},
    )
    return row


def _refuse_held_name(row: RegisteredModel, name: str) -> None:
    reason = reason_to_keep_name(row.pk)
    if reason:
        raise HeldName(f"{name} cannot be renamed: it {reason}.", code="name_is_needed")


@command(refusals=(NotAllowed, ProbedName, ConfusableName, HeldName))
def change_model(
    *,
    actor: Actor,
    model: RegisteredModel,
    new_name: str | None = None,
    description: str = UNCHANGED,
    owner: Person | None = UNCHANGED,
    on_call: Person | None = UNCHANGED,
    tier: str = UNCHANGED,
    expected_rev: int | None = None,
) -> RegisteredModel:
    """Rename and describe a model in one step: both or neither."""
    if new_name is not None and new_name != model.name:
        model = rename_model(actor=actor, model=model, new_name=new_name, expected_rev=expected_rev)
        expected_rev = model.rev
    if all(each is UNCHANGED for each in (description, owner, on_call, tier)):
        return model
    return update_model(
        actor=actor,
        model=model,
        description=description,
        owner=owner,
        on_call=on_call,
        tier=tier,
        expected_rev=expected_rev,
    )


@command(refusals=(NotAllowed, Conflict))
def delete_model(
    *, actor: Actor, model: RegisteredModel, reason: str = "", expected_rev: int | None = None
) -> None:
    """Delete a model with all its versions, unless one of them is still needed.

    Rows stay as tombstones for the history; the name becomes free.
    """
    if not rights.may_administer(actor, model):
        raise NotAllowed(f"You may not delete {model}; it needs the right to administer.")
    reason = checked_text(reason, "reason", 1000, multiline=True)
    row = locked_model(model, expected_rev)
    versions = list(row.versions.existing().only("pk", "number", "model_id", "digest", "size"))
    wait_for_keepers(versions)
    kept = reasons_to_keep(versions)
    for version in versions:
        if version.pk in kept:
            raise Conflict(
                f"{row} cannot be deleted: version {version.number} {kept[version.pk]}.",
                code="version_is_needed",
            )
    bury(actor, row, versions, reason)
    ModelAlias.objects.filter(model=row).delete()
    ModelVersion.objects.filter(model=row, deleted_at__isnull=True).update(deleted_at=Now())
    RegisteredModel.objects.filter(pk=row.pk).update(deleted_at=Now())
    record(
        actor=actor,
        action="registry.model_deleted",
        target=row,
        before={**_facts(row), "versions": [version.number for version in versions]},
        reason=reason,
    )


def checked_description(value: object) -> str:
    return checked_text(value, "description", LONGEST_DESCRIPTION, multiline=True)


def checked_tier(value: object) -> str:
    if value not in RegisteredModel.Tier.values:
        allowed = ", ".join(RegisteredModel.Tier.values)
        raise Invalid(f"tier must be one of: {allowed}.", field="tier", allowed=allowed)
    return str(value)


def _active(person: Person | None, field: str, current: Person | None = None) -> Person | None:
    """Somebody who can answer: a person or service with an active account, or who stays as is."""
    if person is None or (current is not None and person.pk == current.pk):
        return person
    if not person.accounts.filter(is_active=True).exists():
        raise Invalid(
            f"{field}: {person} has no active account.",
            field=field,
            allowed="a person with an active account",
        )
    return person


def _facts(model: RegisteredModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "description": model.description,
        "owner": str(model.owner_id) if model.owner_id else None,
        "on_call": str(model.on_call_id) if model.on_call_id else None,
        "tier": model.tier,
    }
