"""Policies, promotion requests, gate results and decisions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from approvals import policy as documents
from core.actors import Actor
from core.identifiers import new_id
from core.states import StatefulModel
from deployments.models import Environment
from registry.models import ModelVersion, RegisteredModel


class PolicyQuerySet(models.QuerySet["Policy"]):
    def in_force(self, environment: Environment, tier: str) -> PolicyRevision | None:
        """The newest revision of the active policy of this environment and risk tier."""
        policies = self.filter(environment=environment, is_active=True)
        newest = PolicyRevision.objects.filter(policy__in=policies).select_related("policy")
        for revision in newest.order_by("policy__name", "-number").distinct("policy__name"):
            if tier in revision.rules.tiers:
                return revision
        return None


class Policy(models.Model):
    """The rules of one environment for models of some risk tiers."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.SlugField(max_length=60, unique=True)
    environment = models.ForeignKey(
        "deployments.Environment", on_delete=models.PROTECT, related_name="policies"
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = PolicyQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

    def current(self) -> PolicyRevision | None:
        """The newest revision: the one that counts."""
        return self.revisions.order_by("-number").first()


class PolicyRevision(models.Model):
    """One immutable text of a policy."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    reason = models.CharField(max_length=1000, blank=True, default="")
    created_by_name = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="policy_revisions_are_never_reused")
        ]

    def __str__(self) -> str:
        return f"{self.policy} r{self.number}"

    @property
    def rules(self) -> documents.Policy:
        return documents.Policy(self.document)


class PromotionRequestQuerySet(models.QuerySet["PromotionRequest"]):
    def visible_to(self, actor: Actor) -> PromotionRequestQuerySet:
        if actor.holds_everywhere("view"):
            return self
        return self.filter(version__model__in=RegisteredModel.objects.visible_to(actor))

    def in_lists(self) -> PromotionRequestQuerySet:
        related = self.select_related(
            "version__model", "environment", "policy_revision__policy", "requested_by__person", "evaluation"
        )
        return related.defer("evaluation__comparison", "evaluation__slices", "evaluation__latency")

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

    @property
    def word(self) -> str:
        """The page's word for the status: pending is Evaluating until there is something to decide on."""
        if self.status == self.Status.PENDING and self.is_evaluating:
            return "Evaluating"
        return str(self.get_status_display())

    @property
    def address(self) -> str:
        return f"/approvals/{self.pk}/"

    def as_policy(self) -> dict[str, Any]:
        revision = self.policy_revision
        return {"id": revision.policy.name, "version": revision.number, "sha256": revision.sha256}


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

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["promotion", "rev", "gate"], name="one_result_per_gate_and_revision"
            )
        ]

    def __str__(self) -> str:
        return f"{self.gate} of {self.promotion}: {self.outcome}"


class DecisionQuerySet(models.QuerySet["Decision"]):
    def counting(self) -> DecisionQuerySet:
        """Approvals that nothing has voided."""
        return self.filter(verdict=Decision.Verdict.APPROVE, voided_at__isnull=True)


class Decision(models.Model):
    """One person's signed word on one revision of the evidence."""

    class Verdict(models.TextChoices):
        APPROVE = "approve", "Approved"
        REJECT = "reject", "Rejected"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    promotion = models.ForeignKey(PromotionRequest, on_delete=models.PROTECT, related_name="decisions")
    by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="decisions")
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="decisions")
    requested_by_person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=40)
    verdict = models.CharField(max_length=7, choices=Verdict.choices)
    rev = models.PositiveIntegerField()
    evidence_sha256 = models.CharField(max_length=64)
    reason = models.TextField()
    meaning = models.CharField(max_length=200)
    statement = models.TextField()
    signature_sha256 = models.CharField(max_length=64)
    event_id = models.UUIDField()
    signed_at = models.DateTimeField(db_default=Now())
    voided_at = models.DateTimeField(null=True)
    void_reason = models.CharField(max_length=1000, blank=True, default="")

    objects = DecisionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["signed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["promotion", "person"],
                condition=Q(voided_at__isnull=True),
                name="each_person_decides_once",
            ),
            models.CheckConstraint(
                condition=~Q(person=F("requested_by_person")), name="decided_by_someone_else"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.by} {self.verdict} {self.promotion}"
