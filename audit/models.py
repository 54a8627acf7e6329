"""The ledger as the application reads it; only ``audit.services.record`` adds to it."""

from __future__ import annotations

from django.db import models

from core.actors import Actor


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, actor: Actor) -> EventQuerySet:
        """Those with the right to audit see every event; nobody else sees any."""
        return self if actor.holds_everywhere("audit") else self.none()

    def about(self, kind: str, identifier: str) -> EventQuerySet:
        return self.filter(fields__object__type=kind, fields__object__id=str(identifier))


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
