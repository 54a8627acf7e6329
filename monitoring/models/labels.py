"""Labels: what really happened, by prediction id, when it became known."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from registry.models import RegisteredModel

LONGEST_PREDICTION_ID = 100


class LabelBatchQuerySet(models.QuerySet["LabelBatch"]):
    def visible_to(self, actor: Actor) -> LabelBatchQuerySet:
        return self.filter(endpoint__model__in=RegisteredModel.objects.visible_to(actor))


class LabelBatch(models.Model):
    """Labels that came in one request.

    ``unknown`` of them name no prediction of this endpoint (as far as its log is sealed); they
    are kept and tried again when more of the log has been sealed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(
        "deployments.Endpoint", on_delete=models.CASCADE, related_name="label_batches"
    )
    received = models.PositiveIntegerField()
    repeated = models.PositiveIntegerField(default=0)
    corrected = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(null=True)
    unknown_examples = models.JSONField(default=list)
    received_by_name = models.CharField(max_length=150, blank=True, default="")
    received_at = models.DateTimeField(db_default=Now())
    matched_at = models.DateTimeField(null=True)

    objects = LabelBatchQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index("endpoint", F("received_at").desc(), name="label_batch_newest_first")]

    def __str__(self) -> str:
        return f"{self.received} labels for {self.endpoint}"


class Label(models.Model):
    """The truth about one prediction. ``event_time`` is the prediction's, once it is found."""

    endpoint = models.ForeignKey("deployments.Endpoint", on_delete=models.CASCADE, related_name="labels")
    batch = models.ForeignKey(LabelBatch, on_delete=models.CASCADE, related_name="labels")
    prediction_id = models.CharField(max_length=LONGEST_PREDICTION_ID)
    value = models.FloatField()
    observed_at = models.DateTimeField()
    event_time = models.DateTimeField(null=True)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "prediction_id"], name="one_label_per_prediction")
        ]
        indexes = [
            models.Index("endpoint", "event_time", name="labels_by_event_time"),
            models.Index("endpoint", name="labels_unmatched", condition=Q(event_time__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.prediction_id}: {self.value}"
