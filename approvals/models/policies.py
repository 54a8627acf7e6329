"""Policies and their revisions."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from approvals import policy as documents
from core.identifiers import new_id
from deployments.models import Environment


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
