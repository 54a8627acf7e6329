"""REST: two versions of a model side by side."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.items import item
from registry.compare.comparison import Comparison, compared
from registry.compare.lookups import find_pair
from registry.models import ModelVersion

NUMBER: Any = {"type": int, "location": OpenApiParameter.QUERY, "required": True}


class ComparisonView(APIView):
    """``/models/{name}/compare?a=&b=``: everything that differs, b against a."""

    @extend_schema(
        parameters=[OpenApiParameter("a", **NUMBER), OpenApiParameter("b", **NUMBER)],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, name: str) -> Response:
        query = request.query_params
        a, b = find_pair(request, name, query.get("a", ""), query.get("b", ""))
        return item(request, described(compared(request.actor, a, b)))  # type: ignore[attr-defined]


def described(comparison: Comparison) -> dict[str, Any]:
    """A comparison as JSON; ``comparable`` is false when run metrics must not be subtracted."""
    evaluation = comparison.evaluation
    return {
        "model": comparison.a.model.name,
        "a": _version(comparison.a),
        "b": _version(comparison.b),
        "same_bytes": comparison.is_same_bytes,
        "comparable": not comparison.refusal,
        "refusal": comparison.refusal or None,
        "metrics": [
            {"name": each.name, "a": each.a, "b": each.b, "difference": each.difference}
            for each in comparison.metrics
        ],
        "evaluation": evaluation
        and {
            "id": evaluation.pk,
            "dataset_version": str(evaluation.dataset_version),
            "rows": evaluation.rows,
            "blocked_by": evaluation.comparison.get("blocked_by"),
            "metrics": [_judged(row) for row in comparison.judged],
        },
        "parameters": [line.to_json() for line in comparison.parameters],
        "tags": [line.to_json() for line in comparison.tags],
        "signature": [change.to_json() for change in comparison.columns],
        "datasets": [line.to_json() for line in comparison.data],
        "requirements": [line.to_json() for line in comparison.requirements],
        "card": {
            "a": comparison.cards[0] and comparison.cards[0].number,
            "b": comparison.cards[1] and comparison.cards[1].number,
            "differences": [each.to_json() for each in comparison.card],
        },
        "environment": [line.to_json() for line in comparison.environment],
    }


def _version(version: ModelVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "digest": f"sha256:{version.digest}",
        "code_commit": version.code_commit or None,
        "size": version.size,
    }


def _judged(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["words"],
        "a": row["champion"],
        "b": row["candidate"],
        "difference": row["difference"],
        "low": row["low"],
        "high": row["high"],
        "verdict": row["verdict"].lower(),
    }
