"""What a version saw in training: the reference every window is compared with."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from core.identifiers import new_id
from core.states import StatefulModel


class Reference(StatefulModel):
    """The sketch of a version's training data, made once by a job.

    ``frame`` lays out bins and ranges, ``sketch`` holds the counts, ``profile`` is what pages
    draw of them. ``columns`` of the request log are named as there (``in_temp``, ``score``).
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Being made"
        READY = "ready", "Ready"
        UNAVAILABLE = "unavailable", "No training data named"
        FAILED = "failed", "Failed"

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.PENDING: {Status.READY, Status.UNAVAILABLE, Status.FAILED},
        Status.READY: {Status.PENDING},
        Status.UNAVAILABLE: {Status.PENDING},
        Status.FAILED: {Status.PENDING},
    }

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.OneToOneField(
        "registry.ModelVersion", on_delete=models.PROTECT, related_name="reference"
    )
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    dataset = models.CharField(max_length=300, blank=True, default="")
    frame = models.JSONField(default=dict)
    frame_key = models.CharField(max_length=64, blank=True, default="")
    sketch = models.BinaryField(default=b"")
    profile = models.JSONField(default=dict)
    rows = models.PositiveBigIntegerField(default=0)
    score_source = models.CharField(max_length=200, blank=True, default="")
    failure = models.CharField(max_length=1000, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    ready_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="ready") | ~Q(frame_key=""), name="a_ready_reference_has_a_frame"
            )
        ]

    def __str__(self) -> str:
        return f"reference of {self.version}"

    @property
    def is_ready(self) -> bool:
        return self.status == self.Status.READY
