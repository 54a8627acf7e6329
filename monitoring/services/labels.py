"""Taking in labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from audit.services import command, record
from core.actors import Actor
from core.errors import Invalid, NotAllowed, TooLarge
from core.text import checked_text
from deployments.models import Endpoint, Scorer
from monitoring import rights
from monitoring.models import LONGEST_PREDICTION_ID, Label, LabelBatch, StaleDay, Watch
from monitoring.services.refreshing import request_refresh, watch_of

MOST_LABELS = 50_000
PART = 5_000
CLASSES = (0.0, 1.0)
FIELDS = frozenset({"prediction_id", "label", "observed_at"})
# A clock that is a little ahead is no error.
LEEWAY = timedelta(minutes=5)


@dataclass(frozen=True)
class GivenLabel:
    """One label as sent and checked."""

    prediction_id: str
    value: float
    observed_at: datetime


def checked_labels(body: Any) -> list[GivenLabel]:
    """The labels in a JSON body, or Invalid naming the item, the field and what is allowed."""
    if not isinstance(body, list) or not body:
        raise Invalid(
            'Send a list of labels: [{"prediction_id": "…", "label": 1, "observed_at": "2013-04-01T12:00:00Z"}].',
            field="body",
            allowed=f"a list of 1 to {MOST_LABELS:,} labels",
        )
    if len(body) > MOST_LABELS:
        raise TooLarge(
            f"At most {MOST_LABELS:,} labels are taken at once; this is {len(body):,}.", field="body"
        )
    return [_checked(item, f"[{index}]") for index, item in enumerate(body)]


@command
def record_labels(*, actor: Actor, endpoint: Endpoint, labels: Sequence[GivenLabel]) -> LabelBatch:
    """Keep labels of an endpoint's predictions; sending the same again changes nothing.

    A label that differs from the one kept corrects it. A worker then looks for the predictions.
    """
    if not rights.may_label(actor, endpoint.model):
        raise NotAllowed(f"You may not label predictions of {endpoint.model}; it needs the right to predict.")
    _require_classes(endpoint, labels)
    given = _once(labels)
    batch = LabelBatch.objects.create(
        endpoint=endpoint, received=len(labels), received_by_name=actor.account_name
    )
    batch.repeated = len(labels) - len(given)
    for start in range(0, len(given), PART):
        _keep(endpoint, batch, given[start : start + PART])
    batch.save(update_fields=["repeated", "corrected"])
    counts = {"received": batch.received, "repeated": batch.repeated, "corrected": batch.corrected}
    record(
        actor=actor,
        action="monitoring.labels_received",
        target=endpoint,
        after={"batch": str(batch.pk), **counts},
    )
    request_refresh(endpoint, actor)
    batch.refresh_from_db()
    return batch


def mark_stale(watch: Watch, days: Iterable[Any]) -> None:
    """Have the windows of these days computed again; one more mark if they are marked already."""
    for day in sorted(set(days)):
        _, is_new = StaleDay.objects.get_or_create(watch=watch, day=day)
        if not is_new:
            StaleDay.objects.filter(watch=watch, day=day).update(marks=F("marks") + 1)


def _keep(endpoint: Endpoint, batch: LabelBatch, given: Sequence[GivenLabel]) -> None:
    ids = [label.prediction_id for label in given]
    known = {row.prediction_id: row for row in Label.objects.filter(endpoint=endpoint, prediction_id__in=ids)}
    fresh, changed = [], []
    for label in given:
        row = known.get(label.prediction_id)
        if row is None:
            row = Label(endpoint=endpoint, prediction_id=label.prediction_id)
            fresh.append(row)
        elif (row.value, row.observed_at) == (label.value, label.observed_at):
            batch.repeated += 1
            continue
        else:
            batch.corrected += 1
            changed.append(row)
        row.value, row.observed_at, row.batch = label.value, label.observed_at, batch
    fields = ["value", "observed_at", "batch"]
    # Another request may be keeping the same prediction's label right now: the later one stays.
    Label.objects.bulk_create(
        fresh, update_conflicts=True, unique_fields=["endpoint", "prediction_id"], update_fields=fields
    )
    Label.objects.bulk_update(changed, fields)
    # Read after they were written: a refresh may have found their predictions since they were looked up.
    written = Label.objects.filter(batch=batch, prediction_id__in=ids, event_time__isnull=False)
    days = {
        moment.astimezone(UTC).date() for moment in written.values_list("event_time", flat=True) if moment
    }
    if days:
        mark_stale(watch_of(endpoint), days)


def _require_classes(endpoint: Endpoint, labels: Sequence[GivenLabel]) -> None:
    """A model that answers with a probability is judged by what happened and what did not."""
    if not Scorer.objects.filter(deployment=endpoint.live_id, kind="probability").exists():
        return
    wrong = next((index for index, label in enumerate(labels) if label.value not in CLASSES), None)
    if wrong is not None:
        raise Invalid(
            f"[{wrong}].label is {labels[wrong].value:g}, but {endpoint} answers with a probability:"
            " a label is 1 or 0.",
            field=f"[{wrong}].label",
            allowed="0 or 1, false or true",
        )


def _once(labels: Sequence[GivenLabel]) -> list[GivenLabel]:
    kept: dict[str, GivenLabel] = {}
    for index, label in enumerate(labels):
        first = kept.setdefault(label.prediction_id, label)
        if first != label:
            raise Invalid(
                f"[{index}] labels prediction {label.prediction_id} differently than an earlier item of this list.",
                field=f"[{index}].label",
                allowed="one label per prediction",
            )
    return list(kept.values())


def _checked(item: Any, place: str) -> GivenLabel:
    if not isinstance(item, dict):
        raise Invalid(f"{place} must be an object with {', '.join(sorted(FIELDS))}.", field=place)
    if unknown := sorted(str(name) for name in item.keys() - FIELDS):
        raise Invalid(
            f"{place} has the unknown field {unknown[0][:60]!r}.",
            field=place,
            allowed=", ".join(sorted(FIELDS)),
        )
    name = checked_text(
        item.get("prediction_id"), f"{place}.prediction_id", LONGEST_PREDICTION_ID, min_length=1
    )
    return GivenLabel(
        name,
        _value(item.get("label"), f"{place}.label"),
        _moment(item.get("observed_at"), f"{place}.observed_at"),
    )


def _value(value: Any, place: str) -> float:
    if isinstance(value, bool):
        return float(value)
    if not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e300:
        raise Invalid(
            f"{place} must be a finite number, true or false.", field=place, allowed="0, 1 or a number"
        )
    return float(value)


def _moment(value: Any, place: str) -> datetime:
    if value is None:
        return timezone.now()
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        moment = moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Invalid(
            f"{place} must be a time with its zone, as 2013-04-22T14:05:00Z (RFC 3339).",
            field=place,
            allowed="RFC 3339",
        ) from None
    if moment > timezone.now() + LEEWAY:
        raise Invalid(f"{place} lies in the future.", field=place, allowed="a time up to now")
    return moment
