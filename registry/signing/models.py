"""Keys that are trusted to sign models, and what their signatures were found to be."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from core.identifiers import new_id
from registry.models import ModelVersion


class TrustedKeyQuerySet(models.QuerySet["TrustedKey"]):
    def in_use(self) -> TrustedKeyQuerySet:
        return self.filter(retired_at__isnull=True)


class TrustedKey(models.Model):
    """A public key whose signatures on models count, until it is retired."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    public_key = models.TextField()
    fingerprint = models.CharField(max_length=64)
    reason = models.CharField(max_length=1000)
    added_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField(db_default=Now())
    retire_reason = models.CharField(max_length=1000, blank=True, default="")
    retired_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    retired_at = models.DateTimeField(null=True)

    objects = TrustedKeyQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(retired_at__isnull=True), name="one_trusted_key_per_name"
            ),
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=Q(retired_at__isnull=True),
                name="a_key_is_trusted_under_one_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class VersionSignature(models.Model):
    """What the signature among a version's files was found to be; without one there is no row."""

    class Outcome(models.TextChoices):
        VERIFIED = "verified", "Verified"
        UNTRUSTED = "untrusted", "By no trusted key"
        FAILED = "failed", "Does not hold"

    version = models.OneToOneField(ModelVersion, on_delete=models.CASCADE, related_name="openssf_signature")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    key = models.ForeignKey(TrustedKey, on_delete=models.PROTECT, null=True, related_name="signatures")
    finding = models.CharField(max_length=1000, blank=True, default="")
    checked_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=~Q(outcome="verified") | Q(key__isnull=False),
                name="a_verified_signature_names_its_key",
            ),
        ]

    def __str__(self) -> str:
        return f"signature of {self.version}"
