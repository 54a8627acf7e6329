"""The ledger as the application reads it; only ``audit.services.record`` adds to it."""

from __future__ import annotations

import json
import uuid
from typing import Any, ClassVar

from django.db import connection, models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from core.states import StatefulModel


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, actor: Actor) -> EventQuerySet:
        """Those with the right to audit see every event; nobody else sees any."""
        return self if actor.holds_everywhere("audit") else self.none()

    def about(self, kind: str, identifier: Any) -> EventQuerySet:
        """Events of one object, by its type and id."""
        return self.alias(object_type=KT("fields__object__type"), object_id=KT("fields__object__id")).filter(
            object_type=kind, object_id=str(identifier)
        )

    def of_type(self, kind: str) -> EventQuerySet:
        return self.alias(object_type=KT("fields__object__type")).filter(object_type=kind)

    def keyed(self, key: uuid.UUID | str) -> EventQuerySet:
        """The event with this public id."""
        return self.alias(public_id=KT("fields__id")).filter(public_id=str(key))

    def acting(self, action: str, *others: str) -> EventQuerySet:
        """Those of an action or of others, or of all that begin with ``action`` when it ends in a dot."""
        found = self.alias(action=KT("fields__action"))
        if action.endswith("."):
            return found.filter(action__startswith=action)
        return found.filter(action__in=[action, *others]) if others else found.filter(action=action)

    def by(self, name: str) -> EventQuerySet:
        return self.alias(actor_name=KT("fields__actor__name")).filter(actor_name=name)

    def ended(self, outcome: str) -> EventQuerySet:
        return self.alias(outcome=KT("fields__outcome")).filter(outcome=outcome)


class Event(models.Model):
    """Something that happened, as canonical JSON that never changes."""

    id = models.BigIntegerField(primary_key=True)
    db_user = models.TextField()
    recorded_at = models.DateTimeField()
    body = models.TextField()
    leaf = models.BinaryField()
    fields = models.JSONField()

    objects = EventQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = '"audit"."event"'

    def __str__(self) -> str:
        return f"{self.fields['action']} ({self.fields['id']})"

    @property
    def key(self) -> str:
        """The public id."""
        return str(self.fields["id"])

    @property
    def content(self) -> dict[str, Any]:
        """The evidence itself: ``fields`` only finds it."""
        return json.loads(self.body)


class Seal(models.Model):
    """An event's place in the Merkle tree."""

    seq = models.BigIntegerField(primary_key=True)
    event_id = models.BigIntegerField()
    leaf = models.BinaryField()

    class Meta:
        managed = False
        db_table = '"audit"."seal"'

    def __str__(self) -> str:
        return f"leaf {self.seq}"


class Checkpoint(models.Model):
    """A signed root over the first ``tree_size`` events."""

    tree_size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField()
    sealed_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = '"audit"."checkpoint"'

    def __str__(self) -> str:
        return f"checkpoint at {self.tree_size}"


class Personal(models.Model):
    """What a salted hash in an event stands for; ``value`` may be erased."""

    commitment = models.TextField(primary_key=True)
    salt = models.TextField()
    value = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = '"audit"."personal"'

    def __str__(self) -> str:
        return self.commitment


class SigningKey(models.Model):
    """A public key that signed checkpoints, as a C2SP verifier key."""

    vkey = models.TextField(primary_key=True)
    added_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = '"audit"."signing_key"'

    def __str__(self) -> str:
        return self.vkey


class ExportQuerySet(models.QuerySet["Export"]):
    def visible_to(self, actor: Actor) -> ExportQuerySet:
        """Exports hold events, so they are for those who may see every event."""
        return self if actor.holds_everywhere("audit") else self.none()


class Export(StatefulModel):
    """A file of events somebody asked for, bound to one checkpoint."""

    class Format(models.TextChoices):
        BUNDLE = "bundle", "Evidence bundle"
        JSONL = "jsonl", "JSON Lines"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.WAITING: {Status.READY, Status.FAILED},
        Status.FAILED: {Status.WAITING},
    }

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    format = models.CharField(max_length=8, choices=Format.choices)
    selection = models.JSONField(default=dict)
    title = models.CharField(max_length=200, blank=True, default="")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    tree_size = models.BigIntegerField(null=True)
    events = models.BigIntegerField(null=True)
    digest = models.CharField(max_length=64, blank=True, default="")
    size = models.BigIntegerField(null=True)
    verdict = models.JSONField(null=True)
    failure = models.TextField(blank=True, default="")
    requested_by_id = models.UUIDField(null=True)
    requested_by_name = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(F("created_at").desc(), name="export_newest_first")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="ready") | Q(digest__regex=r"^[0-9a-f]{64}$", tree_size__isnull=False),
                name="a_ready_export_names_its_bytes_and_checkpoint",
            )
        ]

    def __str__(self) -> str:
        return self.title or f"{self.get_format_display()} {self.id}"

    @property
    def file_name(self) -> str:
        ending = "zip" if self.format == self.Format.BUNDLE else "jsonl"
        return f"audit-{self.created_at:%Y%m%dT%H%M%SZ}-{str(self.id)[-6:]}.{ending}"


def unsealed() -> tuple[int, Any]:
    """How many events wait for the sealer, and since when the oldest does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT events, oldest FROM audit.unsealed()")
        events, oldest = cursor.fetchone()
    return events, oldest
