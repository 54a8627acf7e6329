"""What people signed."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from approvals.models.requests import PromotionRequest
from core.identifiers import new_id


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

    @property
    def counts(self) -> bool:
        """An approval that nothing has voided."""
        return self.verdict == self.Verdict.APPROVE and self.voided_at is None

    def __str__(self) -> str:
        return f"{self.by} {self.verdict} {self.promotion}"
