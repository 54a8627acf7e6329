"""Scans: what scanners said of a version's files. Advisory, and never the word of safety."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from core.states import StatefulModel
from registry.models import ModelVersion, RegisteredModel


class ScanQuerySet(models.QuerySet["Scan"]):
    def visible_to(self, actor: Actor) -> ScanQuerySet:
        """Scans of the models the actor may see."""
        if actor.holds_everywhere("view"):
            return self
        return self.filter(version__model__in=RegisteredModel.objects.visible_to(actor))

    def unfinished(self) -> ScanQuerySet:
        return self.filter(status__in=[Scan.Status.PENDING, Scan.Status.RUNNING])

    def newest_first(self) -> ScanQuerySet:
        return self.order_by("-created_at")


class Scan(StatefulModel):
    """One run of the scanners over the bytes with ``digest``, in a sandbox.

    ``files`` lists each file with its format; ``reports`` has one entry per scanner: name, version,
    findings, files it could not scan, and why it failed. ``clean`` needs formats that run no code.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Done"
        FAILED = "failed", "Failed"

    class Verdict(models.TextChoices):
        CLEAN = "clean", "Clean"
        UNPROVEN = "unproven", "Nothing dangerous found, but its format can run code"
        UNSCANNABLE = "unscannable", "Not all of it could be scanned"
        DANGEROUS = "dangerous", "Dangerous"
        FAILED = "failed", "The scan failed, so nothing is known"

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.PENDING: {Status.RUNNING, Status.FAILED},
        Status.RUNNING: {Status.RUNNING, Status.FINISHED, Status.FAILED},
    }

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="scans")
    digest = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    verdict = models.CharField(max_length=11, choices=Verdict.choices, blank=True, default="")
    files = models.JSONField(default=list)
    reports = models.JSONField(default=list)
    sandbox = models.CharField(max_length=20, blank=True, default="")
    failure = models.CharField(max_length=1000, blank=True, default="")
    fence = models.PositiveBigIntegerField(default=0)
    requested_by_name = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    objects = ScanQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="finished") | ~Q(verdict=""), name="a_finished_scan_has_a_verdict"
            ),
            models.CheckConstraint(
                condition=~Q(status="failed") | Q(verdict="failed"), name="a_failed_scan_is_never_clean"
            ),
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(status__in=["pending", "running"]),
                name="one_scan_under_way_per_version",
            ),
        ]
        indexes = [models.Index("version", F("created_at").desc(), name="scan_of_version")]

    def __str__(self) -> str:
        return f"scan of {self.version}"

    @property
    def is_over(self) -> bool:
        return self.status in {self.Status.FINISHED, self.Status.FAILED}
