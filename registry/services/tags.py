"""Tags of models and versions."""

from collections.abc import Mapping

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed, PreconditionFailed
from core.hot_reads import fetch_row
from core.text import checked_text, storable_text
from registry import rights
from registry.locks import changed_model, changed_version, locked_model, locked_version, touch
from registry.models import ModelTag, ModelVersion, RegisteredModel, VersionTag
from registry.run_facts import TAGS_OF_RUNS
from registry.services.seen import UNSEEN, Unseen

LONGEST_KEY = 250
LONGEST_VALUE = 100_000
MOST_TAGS = 1000
# Values in the ledger are cut: it says that a tag changed, not what a page-long value was.
LEDGER_VALUE = 500
# MLflow's tags that make a registered model a prompt and hold what its version says.
IS_PROMPT, PROMPT_TEXT = "mlflow.prompt.is_prompt", "mlflow.prompt.text"
PROMPT_CONTENT = (
    IS_PROMPT,
    PROMPT_TEXT,
    "_mlflow_prompt_type",
    "_mlflow_prompt_response_format",
    "_mlflow_prompt_model_config",
)


# The value a tag had, as the one now is put in its place; no row when there is no room for another.
PUT = """WITH known AS (SELECT value FROM {table} WHERE {of} = %(of)s AND key = %(key)s)
 INSERT INTO {table} ({of}, key, value) SELECT %(of)s, %(key)s, %(value)s
  WHERE EXISTS (SELECT FROM known) OR (SELECT count(*) FROM {table} WHERE {of} = %(of)s) < %(most)s
 ON CONFLICT ({of}, key) DO UPDATE SET value = EXCLUDED.value RETURNING (SELECT value FROM known)"""
PUT_ON_MODEL = PUT.format(table=ModelTag._meta.db_table, of="model_id")
PUT_ON_VERSION = PUT.format(table=VersionTag._meta.db_table, of="version_id")
PUT_MANY = """INSERT INTO {table} ({of}, key, value)
 SELECT %s, pair.key, pair.value FROM unnest(%s::text[], %s::text[]) AS pair(key, value) RETURNING 1"""
PUT_MANY_ON_MODEL = PUT_MANY.format(table=ModelTag._meta.db_table, of="model_id")
PUT_MANY_ON_VERSION = PUT_MANY.format(table=VersionTag._meta.db_table, of="version_id")


@command
def set_tag(
    *,
    actor: Actor,
    target: RegisteredModel | ModelVersion,
    key: str,
    value: str,
    seen: str | Unseen | None = UNSEEN,
) -> RegisteredModel | ModelVersion:
    """Attach a tag to a model or version, replacing the value its caller has ``seen``; None is no tag."""
    row = _changed(actor, target)
    _require(actor, row)
    key, value = checked_tag(key, value)
    _refuse_said_by_run(key, "key")
    _refuse_content(row, key, value)
    before = _put(row, key, value)
    _require_as_seen(row, key, before, seen)
    record(
        actor=actor,
        action="registry.tag_set",
        target=row,
        before={"value": None if before is None else before[:LEDGER_VALUE]},
        after={"value": value[:LEDGER_VALUE]},
        extra={"tag": key},
    )
    return row


@command
def delete_tag(
    *, actor: Actor, target: RegisteredModel | ModelVersion, key: str, seen: str | Unseen = UNSEEN
) -> RegisteredModel | ModelVersion:
    """Remove a tag, where it still says what its caller has ``seen``; one that is not there changes nothing."""
    _require(actor, target)
    key = storable_text(key, "key", LONGEST_KEY)
    row = _locked(target)
    known = row.tags.filter(key=key).first()
    _require_as_seen(row, key, known.value if known else None, seen)
    if known is not None:
        _refuse_content(row, key, None)
        known.delete()
        touch(row)
        before = {"value": known.value[:LEDGER_VALUE]}
        record(actor=actor, action="registry.tag_deleted", target=row, before=before, extra={"tag": key})
    return row


def checked_tag(key: object, value: object) -> tuple[str, str]:
    """A tag's key and value, or Invalid naming which is at fault."""
    return checked_text(key, "key", LONGEST_KEY, min_length=1), storable_text(value, "value", LONGEST_VALUE)


def checked_tags(tags: Mapping[str, str]) -> dict[str, str]:
    if len(tags) > MOST_TAGS:
        raise Invalid(f"At most {MOST_TAGS} tags are allowed.", field="tags", allowed=MOST_TAGS)
    return dict(checked_first_tag(key, value) for key, value in tags.items())


def checked_first_tag(key: object, value: object) -> tuple[str, str]:
    """A tag that something new may begin with: one that may be set on it later."""
    checked = checked_tag(key, value)
    _refuse_said_by_run(checked[0], "tags")
    return checked


def _require(actor: Actor, target: RegisteredModel | ModelVersion) -> None:
    model = target.model if isinstance(target, ModelVersion) else target
    if not (rights.may_register(actor, model) or rights.may_administer(actor, model)):
        raise NotAllowed(f"You may not tag {target}; it needs the right to register on {model}.")


def _require_as_seen(
    row: RegisteredModel | ModelVersion, key: str, current: str | None, seen: str | Unseen | None
) -> None:
    """The row is locked; a tag put already is undone by the refusal."""
    if not isinstance(seen, Unseen) and current != seen:
        raise PreconditionFailed(
            f"The tag {key} of {row} has changed since you read it. Read it again and repeat your change."
        )


def _refuse_said_by_run(key: str, field: str) -> None:
    """Set on anything else they would be taken for what they say, and nothing would read them."""
    if key in TAGS_OF_RUNS:
        raise Invalid(
            f"The tag {key} is read from the run when a version is registered, so here it would change"
            " nothing. Set it on the run, and register the version from it.",
            field=field,
            allowed=f"any key but {', '.join(TAGS_OF_RUNS)}",
        )


def _refuse_content(row: RegisteredModel | ModelVersion, key: str, value: str | None) -> None:
    """What a prompt's version says was hashed with it; saying the same again changes nothing.

    Nor does a model with versions turn into a prompt or back: they would pass for what they are not.
    """
    if isinstance(row, RegisteredModel):
        if key == IS_PROMPT and row.next_number > 1 and (value == "true") != _is_prompt(row):
            raise Conflict(
                f"{row} has versions, so it stays what it is; register what is"
                f" {'a prompt' if value == 'true' else 'no prompt'} under another name.",
                field="key",
            )
        return
    if key not in PROMPT_CONTENT:
        return
    if key == IS_PROMPT and value == "true" and not _is_prompt(row.model):
        raise Conflict(
            f"{row} is a version of a model, so it is no prompt; register a prompt under another name.",
            field="key",
        )
    held = dict(row.tags.filter(key__in=[key, IS_PROMPT]).values_list("key", "value"))
    if held.get(IS_PROMPT) == "true" and held.get(key) != value:
        raise Conflict(
            f"The content of {row} never changes; register another version of the prompt.", field="key"
        )


def _is_prompt(model: RegisteredModel) -> bool:
    return model.tags.filter(key=IS_PROMPT, value="true").exists()


def _put(row: RegisteredModel | ModelVersion, key: str, value: str) -> str | None:
    """Set the tag of the locked row; the value it had, or None."""
    sql = PUT_ON_VERSION if isinstance(row, ModelVersion) else PUT_ON_MODEL
    found = fetch_row(sql, {"of": row.pk, "key": key, "value": value, "most": MOST_TAGS})
    if found is None:
        raise Invalid(
            f"{row} has {MOST_TAGS} tags already; delete one first.", field="key", allowed=MOST_TAGS
        )
    before: str | None = found[0]
    return before


def put_first_tags(row: RegisteredModel | ModelVersion, pairs: Mapping[str, str]) -> None:
    """The tags a new model or version begins with; part of creating it."""
    if pairs:
        sql = PUT_MANY_ON_VERSION if isinstance(row, ModelVersion) else PUT_MANY_ON_MODEL
        fetch_row(sql, [row.pk, list(pairs), list(pairs.values())])


def _changed(actor: Actor, target: RegisteredModel | ModelVersion) -> RegisteredModel | ModelVersion:
    return (
        changed_version(actor, target) if isinstance(target, ModelVersion) else changed_model(actor, target)
    )


def _locked(target: RegisteredModel | ModelVersion) -> RegisteredModel | ModelVersion:
    return locked_version(target) if isinstance(target, ModelVersion) else locked_model(target)
