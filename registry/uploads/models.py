"""Folders on their way here, part by part, so that a cut upload goes on where it broke."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Sum
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from registry.models import RegisteredModel


class UploadQuerySet(models.QuerySet["Upload"]):
    def open(self) -> UploadQuerySet:
        return self.filter(expires_at__gt=Now())

    def of(self, actor: Actor) -> UploadQuerySet:
        """The person's own alone: nobody sees what another is sending."""
        return self.filter(created_by__person=actor.person_id) if actor.person_id else self.none()


class Upload(models.Model):
    """A model folder somebody sends: ``files`` says path, size and SHA-256 of each before it comes.

    ``digest`` stands for the whole list: the same person sending the same folder goes on with it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="uploads")
    files = models.JSONField()
    digest = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    created_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    objects = UploadQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index("model", F("id").desc(), name="upload_of_model"),
            models.Index("expires_at", name="upload_by_end"),
        ]

    def __str__(self) -> str:
        return f"upload {self.pk}"

    @property
    def source(self) -> str:
        return f"uploads:/{self.pk}"

    def received(self) -> list[int]:
        """How many bytes of each file are here, in the order of ``files``."""
        by_file: dict[int, int] = dict(
            self.parts.order_by().values_list("file").annotate(bytes=Sum("size")).values_list("file", "bytes")
        )
        return [by_file.get(number, 0) for number in range(len(self.files))]

    def described(self) -> list[dict[str, Any]]:
        return [
            {**file, "received": received} for file, received in zip(self.files, self.received(), strict=True)
        ]


class UploadPart(models.Model):
    """Some bytes of one file, kept as an object of their own until the version is made."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts")
    file = models.PositiveIntegerField()
    start = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["upload", "file", "start"], name="a_part_of_an_upload_arrives_once"
            )
        ]

    def __str__(self) -> str:
        return f"part of {self.upload_id} at {self.start}"
