"""What a data set promises, and what was found in each version."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from pipelines.models.datasets import Dataset, DatasetVersion


class DataContractQuerySet(models.QuerySet["DataContract"]):
    def newest_of(self, dataset: Dataset) -> DataContract | None:
        """The newest revision of its contract: the one that counts."""
        return self.filter(dataset=dataset).order_by("-revision").first()


class DataContract(models.Model):
    """One revision of a data set's contract; the newest counts, all are kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="contracts")
    revision = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    reason = models.CharField(max_length=1000, blank=True, default="")
    created_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    objects = DataContractQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "revision"], name="contract_revisions_are_never_reused"
            )
        ]

    def __str__(self) -> str:
        return f"contract of {self.dataset} revision {self.revision}"


class ContractCheckQuerySet(models.QuerySet["ContractCheck"]):
    def visible_to(self, actor: Actor) -> ContractCheckQuerySet:
        """Checks of the data sets the actor may see."""
        if actor.holds_everywhere("view"):
            return self
        return self.filter(version__dataset__in=Dataset.objects.visible_to(actor))

    def last_of(self, version: DatasetVersion) -> ContractCheck | None:
        """The newest check of this version, of whatever revision of the contract."""
        of_version = self.filter(version=version).select_related("contract")
        return of_version.order_by("-checked_at", "-pk").first()


class ContractCheck(models.Model):
    """Every rule of one contract revision, looked at on one version."""

    class Status(models.TextChoices):
        PASSED = "passed", "Passed"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="checks")
    contract = models.ForeignKey(DataContract, on_delete=models.PROTECT, related_name="checks")
    status = models.CharField(max_length=6, choices=Status.choices)
    results = models.JSONField(default=list)
    checked_at = models.DateTimeField(db_default=Now())

    objects = ContractCheckQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["version", "contract"], name="one_check_per_version_and_contract")
        ]
        indexes = [models.Index(F("checked_at").desc(), name="contract_check_newest_first")]

    def __str__(self) -> str:
        return f"check of {self.version} against revision {self.contract.revision}"

    @property
    def has_passed(self) -> bool:
        return self.status == self.Status.PASSED

    @property
    def failures(self) -> list[dict[str, Any]]:
        """Results of the rules that do not hold, each with its sentence."""
        return [each for each in self.results if each["status"] == "failed"]
