"""REST: the difference between two versions of a data set."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import Body
from core.api.items import item
from core.api.views import IdempotentPosts
from core.jobs.models import Job
from pipelines import services
from pipelines.api.dataset_views import accepted
from pipelines.comparing import Comparison, comparison_of
from pipelines.lookups import find_dataset_version, whole_number

SIDES = [OpenApiParameter(each, int, required=True, description="A version's number.") for each in "ab"]


class PairSerializer(Body):
    a = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    b = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class DifferenceView(IdempotentPosts, viewsets.GenericViewSet):
    """``/datasets/{name}/compare?a=&b=``: schema and rows at once, distributions once asked for."""

    serializer_class = PairSerializer
    conflicting_reads = ("retrieve",)

    @extend_schema(parameters=SIDES, responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, name: str) -> Response:
        """From version ``a`` to version ``b``. ``distribution.status`` is unknown until it was posted for."""
        numbers = [whole_number(request.query_params.get(each, ""), each) for each in "ab"]
        return item(request, self._body(self._compared(request, name, *numbers)))

    @extend_schema(request=PairSerializer, responses={202: OpenApiTypes.OBJECT})
    def create(self, request: Request, name: str) -> Response:
        """Have a worker compare the rows (202 and a job); 200 when that is done already."""
        asked = PairSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        comparison = self._compared(request, name, asked.validated_data["a"], asked.validated_data["b"])
        row = services.request_difference(
            actor=request.actor, before=comparison.before, after=comparison.after
        )
        body = self._body(comparison_of(comparison.before, comparison.after))
        if row.status != row.Status.PENDING:
            return Response(body)
        return accepted(Job.objects.about(row).order_by("-created_at").first(), body)

    def _compared(self, request: Request, name: str, a: int, b: int) -> Comparison:
        before, after = (find_dataset_version(request, name, number) for number in (a, b))
        services.require_comparable(before, after)
        return comparison_of(before, after)

    def _body(self, comparison: Comparison) -> dict[str, Any]:
        before, after, found = comparison.before, comparison.after, comparison.found
        return {
            "dataset": after.dataset.name,
            "a": before.number,
            "b": after.number,
            "digests": [before.digest, after.digest],
            "is_same_content": comparison.is_same_content,
            "rows": {"a": before.rows, "b": after.rows, "difference": comparison.rows},
            "event_time": {
                side: {"from": version.event_time_from, "to": version.event_time_to}
                for side, version in (("a", before), ("b", after))
            },
            "schema": [change.as_json() for change in comparison.schema],
            "columns": comparison.columns(),
            "distribution": {
                "status": found.status if found else "unknown",
                "failure": found.failure if found else "",
                "measured_at": found.finished_at if found else None,
            },
        }
