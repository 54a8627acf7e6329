"""What REST says of webhooks and deliveries, and what it takes."""

from __future__ import annotations

from rest_framework import serializers

from core.api.fields import Body, TextField
from workspace.webhooks.catalogue import EVERY_EVENT
from workspace.webhooks.models import Delivery, Webhook


class WebhookSerializer(serializers.ModelSerializer):
    model = serializers.CharField(source="model.name", default=None, allow_null=True)
    is_signed = serializers.SerializerMethodField()

    class Meta:
        model = Webhook
        fields = (
            "id",
            "name",
            "url",
            "description",
            "events",
            "model",
            "status",
            "disabled_reason",
            "is_signed",
            "former_until",
            "failures",
            "held_until",
            "created_by_name",
            "created_at",
            "last_updated_at",
        )

    def get_is_signed(self, webhook: Webhook) -> bool:
        return bool(webhook.sealed_secret)


class NewWebhookSerializer(Body):
    name = TextField(max_length=63)
    url = TextField(max_length=2000)
    events = serializers.ListField(
        child=serializers.ChoiceField(EVERY_EVENT), allow_empty=False, max_length=100
    )
    description = TextField(max_length=1000, required=False, allow_blank=True, default="")
    model = TextField(max_length=256, required=False, allow_null=True, default=None)


class ChangedWebhookSerializer(Body):
    name = TextField(max_length=63, required=False)
    url = TextField(max_length=2000, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(EVERY_EVENT), allow_empty=False, max_length=100, required=False
    )
    description = TextField(max_length=1000, required=False, allow_blank=True)
    status = serializers.ChoiceField(Webhook.Status.values, required=False)


class WebhookWithSecretSerializer(WebhookSerializer):
    """The one answer that holds the secret."""

    secret = serializers.CharField()

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")  # type: ignore[assignment]


class TestedEventSerializer(Body):
    event = serializers.ChoiceField(EVERY_EVENT, required=False)


class DeliverySerializer(serializers.ModelSerializer):
    class Meta:
        model = Delivery
        fields = (
            "id",
            "webhook",
            "event",
            "status",
            "is_test",
            "attempt_count",
            "next_attempt_at",
            "response_status",
            "response_body",
            "failure",
            "attempts",
            "body",
            "created_at",
            "delivered_at",
        )
