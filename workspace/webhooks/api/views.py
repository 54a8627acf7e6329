"""REST: webhooks and their deliveries."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.items import item
from core.api.openapi import choice
from core.api.views import IdempotentPosts, etag_of, require_match
from core.errors import Invalid
from registry.lookups import find_model
from workspace.webhooks import delivering, services
from workspace.webhooks.api.serializers import (
    ChangedWebhookSerializer,
    DeliverySerializer,
    NewWebhookSerializer,
    TestedEventSerializer,
    WebhookSerializer,
    WebhookWithSecretSerializer,
)
from workspace.webhooks.lookups import find_delivery, find_webhook
from workspace.webhooks.models import Delivery, Webhook


class WebhookViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/webhooks``: those of everything for admins, those of a model for its administrators."""

    serializer_class = WebhookSerializer

    def get_queryset(self) -> QuerySet[Webhook]:
        return Webhook.objects.visible_to(self.request.actor).select_related("model")

    @extend_schema(request=NewWebhookSerializer, responses={201: WebhookWithSecretSerializer})
    def create(self, request: Request) -> Response:
        """The answer holds the signing secret, this once."""
        asked = _checked(NewWebhookSerializer, request)
        name = asked.pop("model")
        model = find_model(request, name) if name else None
        webhook, secret = services.create_webhook(actor=request.actor, model=model, **asked)
        headers = {"Location": f"/api/v1/webhooks/{webhook.pk}"}
        return _answer(webhook, status=201, headers=headers, secret=secret)

    @extend_schema(responses=WebhookSerializer)
    def retrieve(self, request: Request, key: UUID) -> Response:
        return _answer(find_webhook(request.actor, key))

    @extend_schema(request=ChangedWebhookSerializer, responses=WebhookSerializer)
    def partial_update(self, request: Request, key: UUID) -> Response:
        webhook = self._matched(request, key)
        asked = _checked(ChangedWebhookSerializer, request)
        if not asked:
            return _answer(webhook)
        return _answer(
            services.update_webhook(actor=request.actor, webhook=webhook, expected_rev=webhook.rev, **asked)
        )

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, key: UUID) -> Response:
        webhook = self._matched(request, key)
        services.delete_webhook(actor=request.actor, webhook=webhook, expected_rev=webhook.rev)
        return Response(status=204)

    @extend_schema(request=TestedEventSerializer, responses=DeliverySerializer)
    def test(self, request: Request, key: UUID) -> Response:
        """Send example data now; the answer says what the receiver said."""
        webhook = find_webhook(request.actor, key)
        event = _checked(TestedEventSerializer, request).get("event")
        delivery = delivering.send_now(actor=request.actor, webhook=webhook, event=event)
        return Response(DeliverySerializer(delivery).data)

    @extend_schema(request=None, responses=WebhookWithSecretSerializer)
    def rotate_secret(self, request: Request, key: UUID) -> Response:
        """A new secret, answered this once; for a day the former one signs too."""
        webhook, secret = services.rotate_secret(
            actor=request.actor, webhook=find_webhook(request.actor, key)
        )
        return _answer(webhook, secret=secret)

    def content_to_keep(self, response: Response) -> bytes:
        """A secret is answered once: rows that remember answers hold none."""
        if isinstance(response.data, dict) and "secret" in response.data:
            return JSONRenderer().render({**response.data, "secret": None})
        return super().content_to_keep(response)

    def _matched(self, request: Request, key: UUID) -> Webhook:
        webhook = find_webhook(request.actor, key)
        require_match(request, _etag(webhook))
        return webhook


class DeliveryViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/webhooks/deliveries``: what was sent, newest first, with bodies and answers."""

    serializer_class = DeliverySerializer
    query_parameters = (choice("status", Delivery.Status.values),)
    addressed_by = {"webhook_key": "of_one"}

    def get_queryset(self) -> QuerySet[Delivery]:
        rows = Delivery.objects.visible_to(self.request.actor)
        if "webhook_key" in self.kwargs:
            rows = rows.filter(webhook=find_webhook(self.request.actor, self.kwargs["webhook_key"]))
        status = self.request.query_params.get("status", "")
        if status and status not in Delivery.Status.values:
            allowed = ", ".join(Delivery.Status.values)
            raise Invalid(f"status must be one of: {allowed}.", field="status", allowed=allowed)
        return rows.filter(status=status) if status else rows

    @extend_schema(parameters=[OpenApiParameter("status", enum=Delivery.Status.values)])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(responses=DeliverySerializer)
    def retrieve(self, request: Request, key: UUID) -> Response:
        return item(request, DeliverySerializer(find_delivery(request.actor, key)).data)

    @extend_schema(request=None, responses={202: DeliverySerializer})
    def replay(self, request: Request, key: UUID) -> Response:
        """Send it again under the same id; 202, since a worker does."""
        delivery = services.replay_delivery(actor=request.actor, delivery=find_delivery(request.actor, key))
        return Response(DeliverySerializer(delivery).data, status=202)


def _checked(serializer: type[Any], request: Request) -> dict[str, Any]:
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _etag(webhook: Webhook) -> str:
    return etag_of(webhook.pk, webhook.rev)


def _answer(
    webhook: Webhook, *, status: int = 200, headers: dict[str, str] | None = None, **more: str
) -> Response:
    body = {**WebhookSerializer(webhook).data, **more}
    return Response(body, status=status, headers={**(headers or {}), "ETag": _etag(webhook)})
