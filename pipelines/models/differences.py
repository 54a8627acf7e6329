"""How two versions of a data set are distributed, looked at once and kept."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.identifiers import new_id
from core.states import StatefulModel
from pipelines.models.datasets import DatasetVersion


class VersionDifference(StatefulModel):
    """Column by column, how far ``after`` lies from ``before``: versions never change, so neither does this."""

    class Status(models.TextChoices):
        PENDING = "pending", "Being compared"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.PENDING: {Status.READY, Status.FAILED},
        Status.FAILED: {Status.PENDING},
    }

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    before = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="differences_after")
    after = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="differences_before")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    columns = models.JSONField(default=list)
    failure = models.CharField(max_length=1000, blank=True, default="")
    requested_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["before", "after"], name="one_difference_per_pair"),
            models.CheckConstraint(condition=~Q(before=F("after")), name="a_difference_has_two_sides"),
        ]

    def __str__(self) -> str:
        return f"difference of {self.before} and {self.after}"
