"""Webhooks, and what was or will be sent to them."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from core.states import StatefulModel
from registry.models import RegisteredModel


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def existing(self) -> WebhookQuerySet:
        return self.filter(deleted_at__isnull=True)

    def visible_to(self, actor: Actor) -> WebhookQuerySet:
        """All for who administers everything; else those of models the actor administers."""
        if actor.holds_everywhere("administer"):
            return self.existing()
        return self.existing().filter(model__in=RegisteredModel.objects.granting(actor, "administer"))


class Webhook(models.Model):
    """An address that is told of events; of one model when ``model`` is set, else of all.

    The signing secret is sealed; the former one signs too until ``former_until``.
    """

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", "Active"
        DISABLED = "DISABLED", "Disabled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=63)
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=1000, blank=True, default="")
    events = ArrayField(models.CharField(max_length=60))
    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, null=True, related_name="webhooks")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTIVE)
    disabled_reason = models.CharField(max_length=300, blank=True, default="")
    sealed_secret = models.TextField(blank=True, default="")
    former_sealed_secret = models.TextField(blank=True, default="")
    former_until = models.DateTimeField(null=True)
    # A receiver that does not answer is left alone until then, so that it delays nobody else.
    failures = models.PositiveIntegerField(default=0)
    held_until = models.DateTimeField(null=True)
    rev = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    created_by_name = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    last_updated_at = models.DateTimeField(db_default=Now())
    deleted_at = models.DateTimeField(null=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=~Q(events=[]), name="a_webhook_listens_to_something"),
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True) | Q(sealed_secret="", former_sealed_secret=""),
                name="a_deleted_webhook_keeps_no_secret",
            ),
        ]
        indexes = [
            models.Index(
                "created_at",
                name="webhook_listening",
                condition=Q(deleted_at__isnull=True, status="ACTIVE"),
            ),
        ]

    def __str__(self) -> str:
        return f"webhook {self.name}"

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE and self.deleted_at is None


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, actor: Actor) -> DeliveryQuerySet:
        """Those of the webhooks the actor may see."""
        return self.filter(webhook__in=Webhook.objects.visible_to(actor))

    def pending(self) -> DeliveryQuerySet:
        return self.filter(status=Delivery.Status.PENDING)


class Delivery(StatefulModel):
    """One event for one webhook, written with the change itself; sent after it until it arrives.

    ``body`` is the exact text that is signed and sent; the id is the same on every attempt, so
    that a receiver can tell a repetition. ``attempts`` holds the newest attempts, oldest first.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting"
        DELIVERED = "delivered", "Delivered"
        DEAD = "dead", "Given up"

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.PENDING: {Status.PENDING, Status.DELIVERED, Status.DEAD},
        Status.DELIVERED: {Status.PENDING},
        Status.DEAD: {Status.PENDING},
    }

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=60)
    body = models.TextField()
    is_test = models.BooleanField(default=False)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    attempt_count = models.PositiveIntegerField(default=0)
    # Attempts of the current try: a replay starts a new one.
    tried = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    response_status = models.PositiveIntegerField(null=True)
    response_body = models.CharField(max_length=1000, blank=True, default="")
    failure = models.CharField(max_length=500, blank=True, default="")
    attempts = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now())
    delivered_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index("webhook", F("id").desc(), name="delivery_of_webhook"),
            models.Index("created_at", name="delivery_by_age"),
            models.Index("next_attempt_at", name="delivery_waiting", condition=Q(status="pending")),
        ]

    def __str__(self) -> str:
        return f"delivery {self.id} of {self.event}"
