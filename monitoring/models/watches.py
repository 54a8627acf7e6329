"""Watching an endpoint: how far its windows are computed, and what must be computed again."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from registry.models import RegisteredModel


class WatchQuerySet(models.QuerySet["Watch"]):
    def visible_to(self, actor: Actor) -> WatchQuerySet:
        """Endpoints of the models the actor may see."""
        return self.filter(endpoint__model__in=RegisteredModel.objects.visible_to(actor))

    def in_lists(self) -> WatchQuerySet:
        return self.select_related(
            "endpoint__model", "endpoint__environment", "endpoint__live__version"
        ).defer(
            "endpoint__live__version__manifest",
            "endpoint__live__version__requirements",
            "endpoint__live__version__signature",
            "endpoint__live__version__flavours",
        )


class Watch(models.Model):
    """The monitoring of one endpoint. ``summary`` is its health as lists show it.

    ``watermark`` is the largest event time seen: ranges of pages end there, not now. Each
    refresh takes the next ``fence``; what an overtaken refresh wants to write is refused.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.OneToOneField("deployments.Endpoint", on_delete=models.CASCADE, related_name="watch")
    fence = models.PositiveBigIntegerField(default=0)
    watermark = models.DateTimeField(null=True)
    served_to = models.DateTimeField(null=True)
    summary = models.JSONField(default=dict)
    refreshed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = WatchQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"monitoring of {self.endpoint}"


class StaleDay(models.Model):
    """A day of event time whose windows must be computed again; ``marks`` counts the reasons."""

    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="stale_days")
    day = models.DateField()
    marks = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["watch", "day"], name="one_mark_per_stale_day")]

    def __str__(self) -> str:
        return f"{self.watch_id} {self.day}"


class SegmentSummary(models.Model):
    """A sealed segment of the request log has been read: its health by the minute served.

    ``is_searched`` once it was searched for every label that waited; labels that come later know
    by the time in their id which segments to search.
    """

    segment = models.OneToOneField(
        "deployments.LogSegment", on_delete=models.CASCADE, primary_key=True, related_name="summary"
    )
    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="summaries")
    minutes = models.JSONField(default=dict)
    frame_key = models.CharField(max_length=64, blank=True, default="")
    read_at = models.DateTimeField(db_default=Now())
    is_searched = models.BooleanField(db_default=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index("watch", name="segments_to_search", condition=models.Q(is_searched=False)),
        ]

    def __str__(self) -> str:
        return f"summary of {self.segment_id}"


class SegmentSketch(models.Model):
    """The sketch of a segment's rows of one day of event time, on the version's frame."""

    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="sketches")
    segment = models.ForeignKey("deployments.LogSegment", on_delete=models.CASCADE, related_name="sketches")
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=6)
    day = models.DateField()
    rows = models.PositiveBigIntegerField()
    refused = models.JSONField(default=dict)
    sketch = models.BinaryField(default=b"")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["segment", "role", "day"], name="one_sketch_per_segment_and_day")
        ]
        indexes = [models.Index("watch", "day", "version", name="sketches_of_day")]

    def __str__(self) -> str:
        return f"{self.segment_id} {self.day}"
