"""Changes to data sets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

from django.db.models import F, Q
from django.utils.duration import duration_iso_string

from accounts.models import Person
from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed, PreconditionFailed, ProbedName
from core.look_locks import lock_look
from core.looks import look_sha256, taken_for
from core.text import checked_text
from pipelines import rights
from pipelines.freshness import LONGEST, SHORTEST
from pipelines.models import Dataset
from pipelines.models.datasets import LONGEST_NAME
from pipelines.services.access import give_creator_rights
from pipelines.services.freshness import settle_alarm

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z")
NAME_RULE = f"1 to {LONGEST_NAME} letters, digits, '.', '-' and '_', the first a letter or digit"
MOST_KEYS = 20
UNCHANGED: Any = object()

CHANGEABLE = ["description", "owner", "label_column", "expected_every", "freshness_clock"]


@command
def require_creating(*, actor: Actor) -> None:
    """Refuse who may create no data set, before a form is read."""
    _require_creating(actor)


@command(refusals=(NotAllowed, ProbedName))
def create_dataset(
    *,
    actor: Actor,
    name: str,
    description: str = "",
    owner: Person | None = None,
    event_time_column: str = "",
    time_zone: str = "UTC",
    key_columns: Sequence[str] = (),
    label_column: str = "",
    expected_every: timedelta | None = None,
) -> Dataset:
    """Create a data set; its creator owns it and may add versions and set its contract."""
    _require_creating(actor)
    name = _checked_name(name)
    dataset = Dataset(
        name=name,
        look_sha256=look_sha256(name),
        description=checked_text(description, "description", 5000, multiline=True),
        owner=owner or Person.objects.filter(pk=actor.person_id).first(),
        event_time_column=_checked_column(event_time_column, "event_time_column"),
        time_zone=_checked_zone(time_zone),
        key_columns=_checked_keys(key_columns),
        label_column=_checked_column(label_column, "label_column"),
        expected_every=_checked_interval(expected_every),
        created_by_id=actor.account_id,
    )
    _refuse_taken(actor, dataset)
    dataset.save()
    give_creator_rights(actor, dataset)
    record(actor=actor, action="pipelines.dataset_created", target=dataset, after=_facts(dataset))
    dataset.refresh_from_db()
    return dataset


@command
def update_dataset(
    *,
    actor: Actor,
    dataset: Dataset,
    description: str = UNCHANGED,
    owner: Person | None = UNCHANGED,
    label_column: str = UNCHANGED,
    expected_every: timedelta | None = UNCHANGED,
    freshness_clock: str = UNCHANGED,
    expected_rev: int | None = None,
) -> Dataset:
    """Change what people say of a data set; how its versions were read never changes."""
    if not rights.may_administer(actor, dataset):
        raise NotAllowed(f"You may not change {dataset}; it needs the right to administer.")
    row = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if expected_rev is not None and row.rev != expected_rev:
        raise PreconditionFailed(f"{row} has been changed since you read it (revision {row.rev} now).")
    before = _facts(row)
    if description is not UNCHANGED:
        row.description = checked_text(description, "description", 5000, multiline=True)
    if owner is not UNCHANGED:
        row.owner = owner
    if label_column is not UNCHANGED:
        row.label_column = _checked_column(label_column, "label_column")
    if expected_every is not UNCHANGED:
        row.expected_every = _checked_interval(expected_every)
    if freshness_clock is not UNCHANGED:
        row.freshness_clock = _checked_clock(freshness_clock)
    row.save(update_fields=CHANGEABLE)
    Dataset.objects.filter(pk=row.pk).update(rev=F("rev") + 1)
    row.refresh_from_db()
    record(actor=actor, action="pipelines.dataset_updated", target=row, before=before, after=_facts(row))
    settle_alarm(actor, row)
    return row


def _require_creating(actor: Actor) -> None:
    if not rights.may_create(actor):
        raise NotAllowed("You may not create data sets; the role data-scientist may.")


def _refuse_taken(actor: Actor, dataset: Dataset) -> None:
    """The name itself, and one that looks like it; what is hidden is not named."""
    lock_look("data set", dataset.look_sha256)
    name = dataset.name
    alike = Dataset.objects.filter(Q(look_sha256=dataset.look_sha256) | Q(name=name))
    if not taken_for(name, alike.values_list("name", flat=True)):
        return
    seen = taken_for(name, alike.visible_to(actor).values_list("name", flat=True))
    if seen and seen != name:
        words = f"{name} looks like the data set {seen}; choose another name."
        raise Conflict(words, field="name", code="name_confusable")
    kind = Conflict if seen else ProbedName
    raise kind(f"A data set named {name}, or alike, already exists.", field="name", code="name_taken")


def _checked_name(value: Any) -> str:
    name = checked_text(value, "name", LONGEST_NAME, min_length=1)
    if not NAME.match(name):
        raise Invalid(f"name must be {NAME_RULE}.", field="name", allowed=NAME_RULE)
    return name


def _checked_column(value: Any, field: str) -> str:
    return checked_text(value, field, 200)


def _checked_keys(value: Any) -> list[str]:
    if isinstance(value, str) or len(value) > MOST_KEYS:
        raise Invalid(
            f"key_columns must be a list of at most {MOST_KEYS} columns.",
            field="key_columns",
            allowed="a list of columns",
        )
    keys = [checked_text(each, f"key_columns[{at}]", 200, min_length=1) for at, each in enumerate(value)]
    if len(set(keys)) != len(keys):
        raise Invalid("key_columns names a column twice.", field="key_columns", allowed="each column once")
    return keys


def _checked_zone(value: Any) -> str:
    zone = checked_text(value, "time_zone", 64, min_length=1)
    if zone not in available_timezones():
        raise Invalid(
            f"time_zone {zone!r} is not known; name one of the IANA database, as America/New_York.",
            field="time_zone",
            allowed="a time zone of the IANA database",
        )
    return zone


def _checked_interval(value: timedelta | None) -> timedelta | None:
    if value is not None and not SHORTEST <= value <= LONGEST:
        allowed = "1 minute to 10 years, or nothing"
        raise Invalid(f"expected_every must be {allowed}.", field="expected_every", allowed=allowed)
    return value


def _checked_clock(value: str) -> str:
    if value not in Dataset.Clock.values:
        allowed = ", ".join(Dataset.Clock.values)
        raise Invalid(f"freshness_clock must be one of: {allowed}.", field="freshness_clock", allowed=allowed)
    return value


def _facts(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "description": dataset.description,
        "owner": str(dataset.owner_id) if dataset.owner_id else None,
        "event_time_column": dataset.event_time_column,
        "time_zone": dataset.time_zone,
        "key_columns": list(dataset.key_columns),
        "label_column": dataset.label_column,
        "expected_every": duration_iso_string(dataset.expected_every) if dataset.expected_every else None,
        "freshness_clock": dataset.freshness_clock,
    }
