"""Digests under which others know a data set version."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from core.identifiers import new_id
from pipelines.models.datasets import Dataset, DatasetVersion


class VersionReference(models.Model):
    """A digest that MLflow, or another tool, gave the same rows; runs that log it name this version."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="references")
    digest = models.CharField(max_length=64)
    source = models.CharField(max_length=1000, blank=True, default="")
    created_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["dataset", "digest"], name="a_foreign_digest_means_one_version")
        ]

    def __str__(self) -> str:
        return f"{self.digest} is {self.version}"
