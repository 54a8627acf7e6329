"""Answers kept so that a retried POST gets the same one."""

from django.db import models
from django.db.models.functions import Now


class IdempotentAnswer(models.Model):
    """The first answer to one Idempotency-Key of one caller, kept for a day."""

    account_id = models.UUIDField()
    asked_as = models.CharField(max_length=64, default="")  # see ``replaying.caller_class``
    key = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(default=b"")
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "core"
        constraints = [
            models.UniqueConstraint(fields=["account_id", "asked_as", "key"], name="one_answer_per_key")
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.account_id}"
