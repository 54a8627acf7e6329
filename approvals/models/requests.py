"""Promotion requests, and what each gate found."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils.functional import cached_property

from approvals.models.policies import PolicyRevision
from core.actors import Actor
from core.identifiers import new_id
from core.states import StatefulModel
from registry.models import ModelVersion, RegisteredModel

GATES_FAIL = "Gates fail"


class PromotionRequestQuerySet(models.QuerySet["PromotionRequest"]):
    def visible_to(self, actor: Actor) -> PromotionRequestQuerySet:
        """Also once the model is deleted: who decided, when and why stands for ever."""
        if actor.holds_everywhere("view"):
            return self
        return self.filter(version__model__in=RegisteredModel.objects.ever_visible_to(actor))

    def in_lists(self) -> PromotionRequestQuerySet:
        related = self.select_related(
            "version__model", "environment", "policy_revision__policy", "requested_by__person", "evaluation"
        )
        return related.defer(
            "evaluation__comparison", "evaluation__slices", "evaluation__latency"
        ).with_gates()

    def with_gates(self) -> PromotionRequestQuerySet:
        """Each brings along what its word says of its gates."""
        return self.annotate(
            gates_fail=Exists(GateResult.objects.forbidding(OuterRef("pk"), OuterRef("rev")))
        )

    def under_way(self) -> PromotionRequestQuerySet:
        return self.filter(status__in=PromotionRequest.UNDER_WAY)

    def pending(self) -> PromotionRequestQuerySet:
        return self.filter(status=PromotionRequest.Status.PENDING)


class PromotionRequest(StatefulModel):
    """Somebody asks that a version go to an environment; others decide on the evidence.

    ``rev`` counts changes of what is asked and of the evidence; a decision carries the one its
    author saw.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PENDING = "pending", "Needs review"
        APPROVED = "approved", "Approved"
        QUEUED = "queued", "Deploying"
        DEPLOYED = "deployed", "Live"
        FAILED = "failed", "Deployment failed"
        REJECTED = "rejected", "Rejected"
        EXPIRED = "expired", "Expired"
        CANCELLED = "cancelled", "Withdrawn"
        SUPERSEDED = "superseded", "Superseded"
        ROLLED_BACK = "rolled_back", "Rolled back"

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.DRAFT: {Status.PENDING, Status.CANCELLED},
        Status.PENDING: {Status.APPROVED, Status.REJECTED, Status.EXPIRED, Status.CANCELLED},
        Status.APPROVED: {Status.QUEUED, Status.PENDING, Status.EXPIRED, Status.CANCELLED},
        Status.QUEUED: {Status.DEPLOYED, Status.PENDING, Status.FAILED},
        Status.FAILED: {Status.QUEUED},
        Status.DEPLOYED: {Status.SUPERSEDED, Status.ROLLED_BACK},
    }
    # What is signed may still change: gates are judged again, and approvals can become void.
    OPEN = (Status.PENDING, Status.APPROVED)
    UNDER_WAY = (Status.DRAFT, Status.PENDING, Status.APPROVED, Status.QUEUED)
    RELEASED = (Status.DEPLOYED, Status.SUPERSEDED, Status.ROLLED_BACK)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="promotion_requests")
    champion = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    environment = models.ForeignKey(
        "deployments.Environment", on_delete=models.PROTECT, related_name="promotion_requests"
    )
    policy_revision = models.ForeignKey(PolicyRevision, on_delete=models.PROTECT, related_name="requests")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    why = models.TextField()
    known_limits = models.TextField(blank=True, default="")
    rev = models.PositiveIntegerField(default=1)
    digest = models.CharField(max_length=64)
    evaluation = models.ForeignKey(
        "registry_evaluations.Evaluation",
        on_delete=models.PROTECT,
        null=True,
        related_name="promotion_requests",
    )
    evidence = models.JSONField(default=dict)
    evidence_sha256 = models.CharField(max_length=64, blank=True, default="")
    gates_judged_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=1000, blank=True, default="")
    clearance = models.ForeignKey(
        "deployments.Clearance", on_delete=models.PROTECT, null=True, related_name="+"
    )
    deployment = models.ForeignKey(
        "deployments.Deployment", on_delete=models.PROTECT, null=True, related_name="+"
    )
    requested_by = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, related_name="promotion_requests"
    )
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    objects = PromotionRequestQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["version", "environment"],
                condition=Q(status__in=["draft", "pending", "approved", "queued"]),
                name="one_open_request_per_version_and_environment",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "queued", "deployed"]) | ~Q(evidence_sha256=""),
                name="approved_on_evidence",
            ),
        ]
        indexes = [
            models.Index("status", F("created_at").desc(), name="request_by_status"),
            models.Index(F("created_at").desc(), name="request_newest_first"),
        ]

    def __str__(self) -> str:
        return f"promotion of {self.version} to {self.environment}"

    @property
    def is_judged(self) -> bool:
        return self.gates_judged_at is not None

    @property
    def is_evaluating(self) -> bool:
        """There is nothing to decide on yet: never judged, or evaluated again at this moment."""
        return not self.is_judged or (self.evaluation is not None and not self.evaluation.is_over)

    @property
    def is_under_way(self) -> bool:
        return self.status in self.UNDER_WAY

    @cached_property
    def gates_fail(self) -> bool:
        """Whether gates forbid it; a list brings the answer along (``with_gates``)."""
        return GateResult.objects.forbidding(self.pk, self.rev).exists()

    @property
    def word(self) -> str:
        """The page's word for the status: who is asked to review must be able to approve."""
        if self.status != self.Status.PENDING:
            return str(self.get_status_display())
        if self.is_evaluating:
            return "Evaluating"
        return GATES_FAIL if self.gates_fail else str(self.get_status_display())

    @property
    def look(self) -> str:
        """The status as which ``word`` is drawn."""
        return self.Status.FAILED if self.word == GATES_FAIL else self.status

    @property
    def address(self) -> str:
        return f"/approvals/{self.pk}/"

    def as_policy(self) -> dict[str, Any]:
        revision = self.policy_revision
        return {"id": revision.policy.name, "version": revision.number, "sha256": revision.sha256}


class GateResultQuerySet(models.QuerySet["GateResult"]):
    def forbidding(self, promotion: Any, rev: Any) -> GateResultQuerySet:
        """Those for which the request cannot be approved at this revision."""
        return self.filter(promotion=promotion, rev=rev, outcome=GateResult.Outcome.FAILED)


class GateResult(models.Model):
    """What one gate found at one revision of a request; replaced when the evidence changes."""

    class Outcome(models.TextChoices):
        PASSED = "passed", "Passed"
        WARNED = "warned", "Warning"
        FAILED = "failed", "Failed"

    promotion = models.ForeignKey(PromotionRequest, on_delete=models.CASCADE, related_name="gate_results")
    rev = models.PositiveIntegerField()
    gate = models.CharField(max_length=50)
    type = models.CharField(max_length=30)
    mode = models.CharField(max_length=5)
    outcome = models.CharField(max_length=6, choices=Outcome.choices)
    title = models.CharField(max_length=200)
    rule = models.CharField(max_length=500)
    observed = models.CharField(max_length=1000)
    judged_at = models.DateTimeField(db_default=Now())

    objects = GateResultQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["promotion", "rev", "gate"], name="one_result_per_gate_and_revision"
            )
        ]

    def __str__(self) -> str:
        return f"{self.gate} of {self.promotion}: {self.outcome}"
