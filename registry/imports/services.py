"""Changes an import makes: each model, version and alias with the memory that it came."""

from __future__ import annotations

from django.db.models import F
from django.db.models.functions import Greatest

from accounts.models import Account
from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, NotAllowed
from registry.access.services import GRANTED_TO_CREATORS, grant
from registry.contents import Contents
from registry.imports.models import ImportedModel, ImportedVersion
from registry.imports.server import FoundVersion
from registry.locks import locked_model
from registry.models import ModelAlias, ModelVersion, RegisteredModel, VersionTag
from registry.services import create_model, finish_registration, set_alias, transition_stage
from registry.services.prompts import create_prompt_version

# The stages that no promotion governs; Production follows the live version.
FREE_STAGES = frozenset({ModelVersion.Stage.STAGING, ModelVersion.Stage.ARCHIVED})


@command
def import_model(
    *, actor: Actor, server: str, name: str, owner: Account, description: str, tags: dict[str, str]
) -> ImportedModel:
    """Create the model and give its owner the rights of somebody who created it."""
    _require_host(actor)
    model = create_model(actor=actor, name=name, description=description, tags=tags, owner=owner.person)
    for right in GRANTED_TO_CREATORS:
        grant(actor=actor, model=model, right=right, account=owner, reason=f"Imported from {server}.")
    home = ImportedModel.objects.create(server=server, name=name, model=model)
    after = {"server": server, "owner": owner.username}
    record(actor=actor, action="registry.model_imported", target=model, after=after)
    return home


@command
def import_version(
    *,
    actor: Actor,
    home: ImportedModel,
    found: FoundVersion,
    contents: Contents,
    description: str,
    tags: dict[str, str],
    run_link: str,
) -> ModelVersion:
    """Register a version with its content at once, under its own number where that is free."""
    _require_host(actor)
    row = locked_model(home.model)
    if home.versions.filter(number=found.number).exists():
        raise Conflict(f"{found} has just been imported by somebody else.")
    version = ModelVersion.objects.create(
        model=row,
        number=_number_for(row, found.number),
        source=found.source[:2000],
        run_link=run_link,
        description=description,
    )
    RegisteredModel.objects.filter(pk=row.pk).update(
        next_number=Greatest(F("next_number"), version.number + 1)
    )
    VersionTag.objects.bulk_create(VersionTag(version=version, key=key, value=tags[key]) for key in tags)
    ImportedVersion.objects.create(home=home, number=found.number, version=version)
    after = {"source": version.source, "server": home.server, "number": found.number, "tags": sorted(tags)}
    record(actor=actor, action="registry.version_created", target=version, after=after)
    version = finish_registration(actor=actor, version=version, contents=contents)
    if found.stage in FREE_STAGES:
        version = transition_stage(actor=actor, version=version, stage=found.stage)
    return version


@command
def import_prompt_version(
    *, actor: Actor, home: ImportedModel, found: FoundVersion, description: str, tags: dict[str, str]
) -> ModelVersion:
    """Register a prompt's text, under its own number unless one as large was given already."""
    _require_host(actor)
    row = locked_model(home.model)
    if home.versions.filter(number=found.number).exists():
        raise Conflict(f"{found} has just been imported by somebody else.")
    RegisteredModel.objects.filter(pk=row.pk).update(next_number=Greatest(F("next_number"), found.number))
    version = create_prompt_version(
        actor=actor, model=row, source=found.source, tags=tags, description=description
    )
    ImportedVersion.objects.create(home=home, number=found.number, version=version)
    return version


@command
def import_alias(*, actor: Actor, home: ImportedModel, alias: str, version: ModelVersion) -> ModelAlias:
    """Point the alias at the version, unless the model has it already."""
    _require_host(actor)
    row = locked_model(home.model)
    if row.aliases.filter(name=alias).exists():
        raise Conflict(f"The alias {alias} of {row} has just been set by somebody else.")
    pointed = set_alias(actor=actor, model=row, alias=alias, version=version)
    ImportedModel.objects.filter(pk=home.pk).update(aliases=sorted({*home.aliases, alias}))
    home.refresh_from_db(fields=["aliases"])
    return pointed


def _number_for(model: RegisteredModel, number: int) -> int:
    """The number it has there, unless a version here has or had it."""
    if number >= model.next_number:
        return number
    return model.next_number if model.versions.filter(number=number).exists() else number


def _require_host(actor: Actor) -> None:
    if not actor.is_system:
        raise NotAllowed("Only whoever has the host imports a registry, with manage.py import_mlflow.")
