"""REST: prices and cost entries."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.sight import require_sight
from core.api.openapi import text
from core.api.views import IdempotentPosts, require_match
from core.errors import Invalid
from monitoring.api.incident_views import OfModel
from monitoring.api.serializers import CostEntrySerializer, PriceRuleSerializer
from monitoring.costs import services
from monitoring.costs.models import CostEntry, PriceRule
from monitoring.lookups import one

FIELDS = ("resource", "price_usd", "valid_from", "source")


class PriceRuleViewSet(IdempotentPosts, OfModel, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/price-rules``: everybody may read prices, admins set them."""

    serializer_class = PriceRuleSerializer
    model_path = "resource"

    def get_queryset(self) -> QuerySet[PriceRule]:
        require_sight(self.request.actor)
        return PriceRule.objects.filter(retired_at__isnull=True)

    @extend_schema(request=PriceRuleSerializer, responses={201: PriceRuleSerializer})
    def create(self, request: Request) -> Response:
        given = request.data
        if not isinstance(given, dict):
            raise Invalid("Send an object of names and values.", field="body", allowed=", ".join(FIELDS))
        if unknown := sorted(str(name)[:60] for name in given.keys() - set(FIELDS)):
            raise Invalid(
                f"{unknown[0]} is no field of a price.", field=unknown[0], allowed=", ".join(FIELDS)
            )
        rule = services.set_price(actor=request.actor, **{name: given.get(name) for name in FIELDS})
        return self._answer(rule, 201)

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(self._find(pk), 200)

    def destroy(self, request: Request, pk: str) -> Response:
        rule = self._find(pk)
        require_match(request, services.price_etag(rule))
        services.retire_price(actor=request.actor, rule=rule)
        return Response(status=204)

    def _find(self, pk: str) -> PriceRule:
        found: PriceRule = one(self.get_queryset(), pk, "price rule")
        return found

    def _answer(self, rule: PriceRule, status: int) -> Response:
        headers = {"ETag": services.price_etag(rule), "Location": f"/api/v1/price-rules/{rule.pk}"}
        return Response(PriceRuleSerializer(rule).data, status=status, headers=headers)


class CostEntryViewSet(OfModel, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/cost-entries``; ``?model=``, ``?from=``, ``?to=`` (days) narrow."""

    serializer_class = CostEntrySerializer
    query_parameters = (text("model"), text("from", "First day."), text("to", "Last day."))
    ordering = ("-day", "-id")

    def get_queryset(self) -> QuerySet[CostEntry]:
        require_sight(self.request.actor)
        entries = CostEntry.objects.visible_to(self.request.actor)
        for name, lookup in (("from", "day__gte"), ("to", "day__lte")):
            if value := self.request.query_params.get(name):
                entries = entries.filter(**{lookup: _day(value, name)})
        return entries.select_related("model", "version__model", "rule").defer(
            "version__manifest", "version__requirements", "version__signature", "version__flavours"
        )


def _day(value: str, name: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Invalid(f"{name} must be a day as 2026-01-31.", field=name, allowed="YYYY-MM-DD") from None
