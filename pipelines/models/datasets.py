"""Data sets and their immutable versions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Now

from accounts.grants import granted, is_granted
from core.actors import Actor
from core.identifiers import new_id
from core.states import StatefulModel
from pipelines.freshness import Freshness
from pipelines.models.access import DatasetAccountGrant, DatasetGroupGrant

LONGEST_NAME = 100


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def visible_to(self, actor: Actor) -> DatasetQuerySet:
        """Everything by role, else what was granted; creators were granted theirs."""
        return self.filter(granted(actor, "view", DatasetAccountGrant, DatasetGroupGrant))

    def with_freshness(self) -> DatasetQuerySet:
        """With the watermark (largest event time), the last arrival, and the database's time."""
        ready = DatasetVersion.objects.filter(dataset=OuterRef("pk"), status=DatasetVersion.Status.READY)
        by_dataset = ready.order_by().values("dataset")
        return self.annotate(
            watermark=Subquery(by_dataset.annotate(at=Max("event_time_to")).values("at")),
            arrived_at=Subquery(by_dataset.annotate(at=Max("ready_at")).values("at")),
            read_at=Now(),
        )


class Dataset(models.Model):
    """A table people know by name; each of its versions is one immutable file."""

    class Clock(models.TextChoices):
        EVENT = "event", "What the data speaks of"
        ARRIVAL = "arrival", "When it came"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=LONGEST_NAME)
    look_sha256 = models.CharField(max_length=64, editable=False)
    description = models.TextField(blank=True, default="")
    owner = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, related_name="owned_datasets"
    )
    event_time_column = models.CharField(max_length=200, blank=True, default="")
    time_zone = models.CharField(max_length=64, default="UTC")
    key_columns = ArrayField(models.CharField(max_length=200), default=list)
    label_column = models.CharField(max_length=200, blank=True, default="")
    expected_every = models.DurationField(null=True)
    freshness_clock = models.CharField(max_length=7, choices=Clock.choices, default=Clock.EVENT)
    next_number = models.PositiveIntegerField(default=1)
    rev = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    objects = DatasetQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [
            ("view", "May see it"),
            ("register", "May add versions"),
            ("administer", "May set its contract and quarantine versions"),
        ]
        constraints = [models.UniqueConstraint(fields=["name"], name="one_dataset_per_name")]
        indexes = [
            models.Index(F("created_at").desc(), name="dataset_newest_first"),
            models.Index("look_sha256", name="dataset_by_look"),
        ]

    def __str__(self) -> str:
        return self.name

    def is_granted_to(self, actor: Actor, right: str) -> bool:
        """Whether a grant on this data set, to the person or a group, gives the right now."""
        return is_granted(actor, right, self, DatasetAccountGrant, DatasetGroupGrant)

    @property
    def freshness(self) -> Freshness:
        """Where its clocks stand; of rows that were read ``with_freshness``."""
        read: Any = self
        return Freshness(
            clock=self.freshness_clock,
            expected_every=self.expected_every,
            watermark=read.watermark,
            arrived_at=read.arrived_at,
            created_at=self.created_at,
            now=read.read_at,
        )


class DatasetVersionQuerySet(models.QuerySet["DatasetVersion"]):
    def visible_to(self, actor: Actor) -> DatasetVersionQuerySet:
        """Versions of the data sets the actor may see."""
        if actor.holds_everywhere("view"):
            return self
        return self.filter(dataset__in=Dataset.objects.visible_to(actor))

    def ready(self) -> DatasetVersionQuerySet:
        return self.filter(status=DatasetVersion.Status.READY)

    def named(self, dataset: str, digest: str) -> DatasetVersionQuerySet:
        """By data set name and digest, or a prefix of it, or a digest that was said to mean it."""
        known = Q(digest__startswith=digest) | Q(references__digest=digest)
        return self.filter(known, dataset__name=dataset).distinct()

    def in_lists(self) -> DatasetVersionQuerySet:
        """With the data set, without the columns that can be large."""
        return self.select_related("dataset").defer("profile", "schema")


class DatasetVersion(StatefulModel):
    """One table as a Parquet file; its content never changes once it is ready."""

    class Status(models.TextChoices):
        PENDING = "pending", "Reading"
        READY = "ready", "Ready"
        FAILED = "failed", "Unreadable"
        QUARANTINED = "quarantined", "Quarantined"

    class Format(models.TextChoices):
        PARQUET = "parquet", "Parquet"
        CSV = "csv", "CSV"

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.PENDING: {Status.READY, Status.FAILED},
        Status.READY: {Status.QUARANTINED},
        Status.QUARANTINED: {Status.READY},
    }

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    label = models.CharField(max_length=100, blank=True, default="")
    description = models.CharField(max_length=1000, blank=True, default="")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    failure = models.CharField(max_length=1000, blank=True, default="")
    source_format = models.CharField(max_length=8, choices=Format.choices, default=Format.PARQUET)
    source_name = models.CharField(max_length=255, blank=True, default="")
    source_digest = models.CharField(max_length=64)
    source_size = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, default="")
    size = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0)
    schema = models.JSONField(default=list)
    profile = models.JSONField(default=dict)
    event_time_from = models.DateTimeField(null=True)
    event_time_to = models.DateTimeField(null=True)
    derivation = models.JSONField(default=dict)
    parents = models.ManyToManyField("self", symmetrical=False, related_name="children")
    quarantine_reason = models.CharField(max_length=1000, blank=True, default="")
    created_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    ready_at = models.DateTimeField(null=True)

    objects = DatasetVersionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "number"], name="dataset_version_numbers_are_never_reused"
            ),
            models.UniqueConstraint(
                fields=["dataset", "source_digest"],
                condition=~Q(status="failed"),
                name="same_content_is_one_version",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "failed"]) | Q(digest__regex=r"^[0-9a-f]{64}$"),
                name="a_ready_dataset_version_has_a_digest",
            ),
        ]
        indexes = [
            models.Index("dataset", F("number").desc(), name="dataset_version_newest"),
            models.Index("digest", name="dataset_version_by_digest", condition=~Q(digest="")),
            models.Index(F("created_at").desc(), name="dataset_version_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset.name} v{self.number}"

    @property
    def is_ready(self) -> bool:
        return self.status == self.Status.READY

    @property
    def is_withheld(self) -> bool:
        """Quarantined by a person."""
        return self.status == self.Status.QUARANTINED

    def is_granted_to(self, actor: Actor, right: str) -> bool:
        return self.dataset.is_granted_to(actor, right)

    def column(self, name: str) -> dict[str, Any] | None:
        """What its schema says of one column."""
        return next((each for each in self.schema if each["name"] == name), None)
