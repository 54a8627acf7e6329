"""Alarms of data sets whose next data is overdue."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from pipelines.models.datasets import Dataset


class FreshnessAlarmQuerySet(models.QuerySet["FreshnessAlarm"]):
    def visible_to(self, actor: Actor) -> FreshnessAlarmQuerySet:
        """Alarms of the data sets the actor may see."""
        if actor.holds_everywhere("view"):
            return self
        return self.filter(dataset__in=Dataset.objects.visible_to(actor))

    def open(self) -> FreshnessAlarmQuerySet:
        return self.filter(cleared_at__isnull=True)


class FreshnessAlarm(models.Model):
    """A data set was late from ``due_at`` on; ``cleared_at`` once newer data came or less was expected."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="alarms")
    clock = models.CharField(max_length=7, choices=Dataset.Clock.choices)
    reached = models.DateTimeField()
    due_at = models.DateTimeField()
    finding = models.CharField(max_length=500)
    raised_at = models.DateTimeField(db_default=Now())
    cleared_at = models.DateTimeField(null=True)
    cleared_because = models.CharField(max_length=300, blank=True, default="")

    objects = FreshnessAlarmQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["dataset"], condition=Q(cleared_at__isnull=True), name="one_open_alarm_per_dataset"
            )
        ]
        indexes = [models.Index(F("raised_at").desc(), name="freshness_alarm_newest_first")]

    def __str__(self) -> str:
        return self.finding
