"""Tags of models and versions."""

from collections.abc import Mapping

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed
from core.text import checked_text, storable_text
from registry import rights
from registry.locks import locked_model, locked_version, touch
from registry.models import ModelVersion, RegisteredModel

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


@command
def set_tag(
    *, actor: Actor, target: RegisteredModel | ModelVersion, key: str, value: str
) -> RegisteredModel | ModelVersion:
    """Attach a tag to a model or version, replacing the value it had."""
    _require(actor, target)
    key, value = checked_tag(key, value)
    row = _locked(target)
    known = row.tags.filter(key=key).first()
    _refuse_content(row, key, value)
    before = known.value if known else None
    if known is None:
        if row.tags.count() >= MOST_TAGS:
            raise Invalid(
                f"{row} has {MOST_TAGS} tags already; delete one first.", field="key", allowed=MOST_TAGS
            )
        row.tags.create(key=key, value=value)
    else:
        row.tags.filter(pk=known.pk).update(value=value)
    touch(row)
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
    *, actor: Actor, target: RegisteredModel | ModelVersion, key: str
) -> RegisteredModel | ModelVersion:
    """Remove a tag; removing one that is not there changes nothing."""
    _require(actor, target)
    key = storable_text(key, "key", LONGEST_KEY)
    row = _locked(target)
    known = row.tags.filter(key=key).first()
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
    return dict(checked_tag(key, value) for key, value in tags.items())


def _require(actor: Actor, target: RegisteredModel | ModelVersion) -> None:
    model = target.model if isinstance(target, ModelVersion) else target
    if not (rights.may_register(actor, model) or rights.may_administer(actor, model)):
        raise NotAllowed(f"You may not tag {target}; it needs the right to register on {model}.")


def _refuse_content(row: RegisteredModel | ModelVersion, key: str, value: str | None) -> None:
    """What a prompt's version says was hashed with it; saying the same again changes nothing."""
    if not isinstance(row, ModelVersion) or key not in PROMPT_CONTENT:
        return
    held = dict(row.tags.filter(key__in=[key, IS_PROMPT]).values_list("key", "value"))
    if held.get(IS_PROMPT) == "true" and held.get(key) != value:
        raise Conflict(
            f"The content of {row} never changes; register another version of the prompt.", field="key"
        )


def _locked(target: RegisteredModel | ModelVersion) -> RegisteredModel | ModelVersion:
    return locked_version(target) if isinstance(target, ModelVersion) else locked_model(target)
