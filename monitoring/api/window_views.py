"""REST: the windows of one model."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Invalid
from monitoring.api.serializers import (
    CostEntrySerializer,
    DataIssueSerializer,
    FeatureWindowSerializer,
    HealthWindowSerializer,
    LabelDaySerializer,
    QualityWindowSerializer,
)
from monitoring.board.health import health_of
from monitoring.board.issues import issues_of
from monitoring.board.quality import Quality
from monitoring.board.scope import Scope, scope_of
from monitoring.board.spending import days_of, of_model
from monitoring.costs.models import CostEntry
from monitoring.models import FeatureWindow, Granularity, HealthWindow, Role
from monitoring.services import is_refreshing
from registry.lookups import find_model

QUERY = [
    OpenApiParameter("environment", str, description="default: the protected one"),
    OpenApiParameter("range", str, enum=["24h", "7d", "28d", "90d"]),
    OpenApiParameter("until", str, description="last day of event time; default: the newest"),
]


@extend_schema(parameters=QUERY, responses={200: dict})
class ModelMonitoringViewSet(viewsets.GenericViewSet):
    """``/monitoring/models/{m}`` and below: everything a range holds, at most 90 days, so no pages."""

    pagination_class = None
    serializer_class = FeatureWindowSerializer

    def retrieve(self, request: Request, name: str) -> Response:
        """The health of the endpoint as lists show it."""
        scope = self._scope(request, name)
        watch = scope.watch
        address = request.build_absolute_uri(request.path).rstrip("/")
        return Response(
            {
                **self._about(scope),
                "summary": watch.summary if watch else {},
                "refreshed_at": watch.refreshed_at if watch else None,
                "is_refreshing": is_refreshing(scope.endpoint),
                "first_served": [{"version": number, "day": day} for number, day in scope.first_served],
                "links": {
                    part: f"{address}/{part}"
                    for part in ("drift", "quality", "health", "data-issues", "costs")
                },
            }
        )

    def drift(self, request: Request, name: str) -> Response:
        """Feature windows: ``?window=day|week``, ``?feature=``, ``?role=served|shadow``."""
        scope = self._scope(request, name)
        role = _choice(request, "role", Role.values, "served")
        rows = FeatureWindow.objects.none()
        if scope.watch and scope.days:
            rows = FeatureWindow.objects.filter(
                watch=scope.watch,
                granularity=scope.window,
                role=role,
                starts_on__gte=scope.days[0],
                starts_on__lte=scope.days[-1],
            )
        if scope.feature:
            rows = rows.filter(feature=scope.feature)
        ordered = rows.select_related("version").only(*_FEATURE, "version__number", "version__model")
        references = [
            {
                "version": each.version.number,
                "status": each.status,
                "dataset": each.dataset,
                "rows": each.rows,
                "failure": each.failure,
            }
            for each in _references(scope)
        ]
        items = FeatureWindowSerializer(ordered.order_by("starts_on", "feature"), many=True).data
        return Response({**self._about(scope), "references": references, "items": items})

    def quality(self, request: Request, name: str) -> Response:
        """Quality windows of both roles and when labels came."""
        scope = self._scope(request, name)
        quality = Quality(scope)
        size = _choice(request, "window", ("day", "week", "deployment"), "")
        rows = [each for each in quality.windows if not size or each.granularity == size]
        return Response(
            {
                **self._about(scope),
                "labels": LabelDaySerializer(quality.label_days, many=True).data,
                "items": QualityWindowSerializer(rows, many=True).data,
            }
        )

    def health(self, request: Request, name: str) -> Response:
        """Requests, errors and latency by the hour served; the range ends now."""
        scope = self._scope(request, name)
        rows = HealthWindow.objects.none()
        if scope.watch:
            rows = HealthWindow.objects.filter(
                watch=scope.watch, granularity=Granularity.HOUR, starts_at__gte=scope.served_since
            )
        whole = health_of(scope).whole
        total = {
            "requests": whole.requests,
            "errors": whole.errors,
            "refused": whole.refused,
            "error_rate": whole.error_rate,
            "p50_ms": whole.latency_ms(0.5),
            "p95_ms": whole.latency_ms(0.95),
            "p99_ms": whole.latency_ms(0.99),
        }
        ordered = (
            rows.select_related("version")
            .only(*_HEALTH, "version__number", "version__model")
            .order_by("starts_at")
        )
        return Response(
            {**self._about(scope), "total": total, "items": HealthWindowSerializer(ordered, many=True).data}
        )

    def data_issues(self, request: Request, name: str) -> Response:
        scope = self._scope(request, name)
        return Response(
            {**self._about(scope), "items": DataIssueSerializer(issues_of(scope), many=True).data}
        )

    def costs(self, request: Request, name: str) -> Response:
        """Cost entries by the day, and what 1,000 predictions cost."""
        scope = self._scope(request, name)
        spent = of_model(scope.model.pk, scope.range)
        rows = CostEntry.objects.filter(model=scope.model, day__gte=days_of(scope.range)[0])
        related = rows.select_related("model", "version", "rule").only(
            *_COST, "model__name", "version__number", "version__model", "rule__resource"
        )
        return Response(
            {
                **self._about(scope),
                "currency": "USD",
                "total_usd": str(spent.total),
                "predictions": spent.predictions,
                "usd_per_1000_predictions": None if spent.per_1000 is None else str(spent.per_1000),
                "items": CostEntrySerializer(
                    related.order_by("day", "activity", "detail", "resource"), many=True
                ).data,
            }
        )

    def _scope(self, request: Request, name: str) -> Scope:
        query = request.query_params.dict()
        if query.get("window") == "deployment":
            del query["window"]
        return scope_of(find_model(request, name), query)

    def _about(self, scope: Scope) -> dict[str, Any]:
        return {
            "model": scope.model.name,
            "environment": scope.endpoint.environment.name,
            "version": scope.live.number if scope.live else None,
            "from": scope.days[0] if scope.days else None,
            "to": scope.days[-1] if scope.days else None,
        }


_FEATURE = tuple(name for name in FeatureWindowSerializer.Meta.fields if name != "version")
_HEALTH = tuple(name for name in HealthWindowSerializer.Meta.fields if name != "version")
_COST = tuple(
    name for name in CostEntrySerializer.Meta.fields if name not in {"model", "version", "unit", "currency"}
)


def _references(scope: Scope) -> list[Any]:
    from_training = list(scope.references.values())
    numbers = {each.version_id: each for each in from_training}
    versions = scope.model.versions.filter(pk__in=numbers).only("number", "model")
    for version in versions:
        numbers[version.pk].version = version
    return sorted(from_training, key=lambda each: each.version.number)


def _choice(request: Request, name: str, allowed: Any, default: str) -> str:
    value = request.query_params.get(name) or default
    if value and value not in allowed:
        words = ", ".join(allowed)
        raise Invalid(f"{name} must be one of: {words}.", field=name, allowed=words)
    return value
