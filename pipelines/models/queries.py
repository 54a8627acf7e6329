"""What data set versions were read with: queries of databases, prefixes of buckets."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F
from django.db.models.functions import Now

from core.identifiers import new_id
from core.states import StatefulModel
from pipelines.models.datasets import Dataset, DatasetVersion
from pipelines.sources.models import Source


class DatasetQuery(StatefulModel):
    """A query of one source, run once; its rows became ``version``.

    Of an S3 source ``query`` is the prefix, and ``objects_read`` what was read beneath it.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Being read"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {Status.PENDING: {Status.SUCCEEDED, Status.FAILED}}

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="queries")
    source = models.CharField(max_length=100)
    kind = models.CharField(max_length=3, choices=Source.Kind.choices, default=Source.Kind.SQL)
    query = models.TextField()
    objects_read = models.JSONField(default=list)
    label = models.CharField(max_length=100, blank=True, default="")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, null=True, related_name="queries")
    failure = models.CharField(max_length=1000, blank=True, default="")
    requested_by = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, null=True, related_name="+"
    )
    requested_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index("dataset", F("requested_at").desc(), name="dataset_query_newest_first")]

    def __str__(self) -> str:
        return f"query of {self.source} for {self.dataset}"

    @property
    def is_s3(self) -> bool:
        return self.kind == Source.Kind.S3
