"""Evaluations: what a candidate and the champion scored on the same held-out rows."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from core.states import StatefulModel
from pipelines.models import DatasetVersion
from registry.data_facts import UNSEEN_DATA
from registry.models import ModelVersion, RegisteredModel


class EvaluationQuerySet(models.QuerySet["Evaluation"]):
    def visible_to(self, actor: Actor) -> EvaluationQuerySet:
        """Of models the actor may see, or might until they were deleted; ``is_data_seen``: the rows' data set, too."""
        if actor.holds_everywhere("view"):
            return self.annotate(is_data_seen=Value(True))
        data = DatasetVersion.objects.visible_to(actor).filter(pk=OuterRef("dataset_version"))
        mine = self.filter(candidate__model__in=RegisteredModel.objects.ever_visible_to(actor))
        return mine.annotate(is_data_seen=Exists(data))

    def unfinished(self) -> EvaluationQuerySet:
        return self.filter(status__in=[Evaluation.Status.PENDING, Evaluation.Status.RUNNING])

    def in_lists(self) -> EvaluationQuerySet:
        return self.select_related("candidate__model", "champion__model", "dataset_version__dataset").defer(
            "slices", "comparison"
        )


class Evaluation(StatefulModel):
    """A candidate scored against the champion, on one held-out data set version, in a sandbox.

    ``comparison`` is `measures.bootstrap.Comparison` as JSON: metric to candidate, champion and
    difference (candidate minus champion), each with estimate, low and high (95 %).
    ``scores_digest`` names the candidate's scores in the object store: float64, one per row.

    Of data that the reader may not see neither the name is told nor what its rows say: see ``data_name``,
    ``said_failure`` and ``said_slices``. Only ``visible_to`` knows; other reads tell none of it.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Done"
        FAILED = "failed", "Failed"

    OVER = (Status.SUCCEEDED, Status.FAILED)
    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.PENDING: {Status.RUNNING, Status.FAILED},
        Status.RUNNING: {Status.RUNNING, Status.SUCCEEDED, Status.FAILED},
    }

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    candidate = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="evaluations")
    champion = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    dataset_version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="evaluations")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    candidate_digest = models.CharField(max_length=64)
    champion_digest = models.CharField(max_length=64, blank=True, default="")
    dataset_digest = models.CharField(max_length=64)
    seed = models.PositiveIntegerField(default=20130101)
    fence = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0)
    blocks = models.PositiveIntegerField(default=0)
    holdout_kind = models.CharField(max_length=20, blank=True, default="")
    comparison = models.JSONField(default=dict)
    slices = models.JSONField(default=list)
    latency = models.JSONField(default=dict)
    sandbox = models.CharField(max_length=20, blank=True, default="")
    cpu_seconds_per_1000 = models.FloatField(null=True)
    scores_digest = models.CharField(max_length=64, blank=True, default="")
    result_sha256 = models.CharField(max_length=64, blank=True, default="")
    failure = models.CharField(max_length=1000, blank=True, default="")
    requested_by_name = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    is_data_seen = False

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="succeeded") | ~Q(result_sha256=""),
                name="a_finished_evaluation_has_a_result",
            ),
            models.CheckConstraint(
                condition=Q(champion__isnull=True) | ~Q(champion=F("candidate")),
                name="evaluated_against_another_version",
            ),
        ]
        indexes = [
            models.Index("candidate", F("created_at").desc(), name="evaluation_of_version"),
            models.Index(F("created_at").desc(), name="evaluation_newest_first"),
        ]

    def __str__(self) -> str:
        against = f" against v{self.champion.number}" if self.champion else ""
        return f"evaluation of {self.candidate}{against}"

    @property
    def data_name(self) -> str:
        return str(self.dataset_version) if self.is_data_seen else UNSEEN_DATA

    @property
    def said_failure(self) -> str:
        if not self.failure or self.is_data_seen:
            return self.failure
        return f"It failed on {UNSEEN_DATA}; who may see it reads why."

    @property
    def said_slices(self) -> list[dict[str, Any]]:
        return self.slices if self.is_data_seen else []

    @property
    def is_over(self) -> bool:
        return self.status in self.OVER

    @property
    def address(self) -> str:
        return f"/evaluations/{self.pk}/"
