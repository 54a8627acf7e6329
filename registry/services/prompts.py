"""Versions of prompts: registered models whose content is a text and not the files of a run.

MLflow keeps a prompt's text in tags of the version, and tags may change. Here the text is also
the version's one file, hashed and stored like any other, and its tags are frozen with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.canonical import canonical_json
from core.errors import Invalid, NotAllowed, PreconditionFailed, ProbedName
from core.events import emit
from core.object_store import store
from registry import rights
from registry.locks import changed_model, locked_model
from registry.manifest import ManifestFile, digest_of, listed
from registry.models import ModelVersion, RegisteredModel
from registry.services.models import checked_description, create_model
from registry.services.registration import VERSION_READY
from registry.services.tags import (
    IS_PROMPT,
    PROMPT_CONTENT,
    PROMPT_TEXT,
    checked_tags,
    put_first_tags,
    set_tag,
)
from registry.taken import ConfusableName

# What MLflow's clients send where a source is required and a prompt has none.
PROMPT_SOURCES = ("prompt-template", "dummy-source")
PROMPT_FILE = "prompt.json"


@command(refusals=(NotAllowed, ProbedName, ConfusableName))
def create_prompt(
    *,
    actor: Actor,
    name: str,
    content: Mapping[str, str],
    tags: Mapping[str, str],
    description: str = "",
    message: str = "",
) -> ModelVersion:
    """A prompt with its first version, or neither; its tags are on both, as MLflow's clients set them."""
    model = create_model(actor=actor, name=name, description=description, tags={**tags, IS_PROMPT: "true"})
    return create_prompt_version(
        actor=actor, model=model, source=PROMPT_SOURCES[0], tags={**tags, **content}, description=message
    )


@command
def write_prompt_version(
    *,
    actor: Actor,
    model: RegisteredModel,
    content: Mapping[str, str],
    tags: Mapping[str, str],
    message: str = "",
    after: int | None = None,
) -> ModelVersion:
    """The next version of a prompt by somebody who compared it with version ``after``, None if there was none."""
    _require_writing(actor, model)
    row = locked_model(model)
    newest = row.versions.existing().order_by("-number").values_list("number", flat=True).first()
    if newest != after:
        raise PreconditionFailed(f"The newest version of {row} is another one by now.")
    for key, value in tags.items():
        set_tag(actor=actor, target=row, key=key, value=value)
    return create_prompt_version(
        actor=actor, model=row, source=PROMPT_SOURCES[0], tags={**tags, **content}, description=message
    )


@command
def require_writing(*, actor: Actor, model: RegisteredModel | None) -> None:
    """Refuse who may write no version of the prompt, or without one no prompt, before a form is read."""
    if model is not None:
        _require_writing(actor, model)
    elif not rights.may_create(actor):
        raise NotAllowed("You may not create prompts; the role data-scientist may.")


def _require_writing(actor: Actor, model: RegisteredModel) -> None:
    if not rights.may_register(actor, model):
        raise NotAllowed(f"You may not register versions of {model}; it needs the right to register.")


@command
def create_prompt_version(
    *, actor: Actor, model: RegisteredModel, source: str, tags: Mapping[str, str], description: str = ""
) -> ModelVersion:
    """Register a text as the next version of a prompt; it is READY at once."""
    _require_writing(actor, model)
    pairs = checked_tags(tags)
    _require_prompt(model, pairs)
    content = canonical_json({key: pairs[key] for key in PROMPT_CONTENT if key in pairs}).encode()
    kept = store().put_stream([content])
    manifest = listed([ManifestFile(PROMPT_FILE, kept.size, kept.digest)])
    row = changed_model(actor, model, takes_number=True)
    version = ModelVersion(
        model=row,
        number=row.next_number - 1,
        source=source,
        status=ModelVersion.Status.READY,
        digest=digest_of(manifest),
        manifest=manifest,
        size=kept.size,
        file_count=1,
        description=checked_description(description or ""),
        created_by_id=actor.account_id,
        ready_at=Now(),
        verified_at=Now(),
    )
    version.save(force_insert=True)
    put_first_tags(version, pairs)
    after: dict[str, Any] = {"source": source, "digest": version.digest, "tags": sorted(pairs)}
    record(actor=actor, action="registry.version_created", target=version, after=after)
    emit(VERSION_READY, version, {"model": row.name, "number": version.number, "digest": version.digest})
    version.refresh_from_db()
    version.model = row
    return version


def _require_prompt(model: RegisteredModel, tags: Mapping[str, str]) -> None:
    if not model.tags.filter(key=IS_PROMPT, value="true").exists():
        raise Invalid(
            f"{model} is not a prompt, so its versions need the files of a run or logged model as source.",
            field="source",
        )
    if not tags.get(PROMPT_TEXT):
        raise Invalid(f"A prompt's version needs its text in the tag {PROMPT_TEXT}.", field="tags")
