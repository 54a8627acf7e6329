"""REST: labels of an endpoint's predictions."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.items import item
from core.api.views import IdempotentPosts
from core.jobs.models import Job
from deployments.models import Endpoint
from monitoring import services
from monitoring.api.serializers import GivenLabelSerializer, LabelBatchSerializer
from monitoring.lookups import find_batch, find_endpoint, find_endpoint_by_id
from monitoring.models import LabelBatch


class LabelViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/endpoints/{environment}/{model}/labels`` and ``/endpoints/{id}/labels``."""

    serializer_class = LabelBatchSerializer
    ordering = "-received_at"
    addressed_by = {"environment": "by_name"}

    def get_queryset(self) -> QuerySet[LabelBatch]:
        """The batches that came, newest first, each with how many of its labels are unknown."""
        return LabelBatch.objects.filter(endpoint=self._endpoint()).order_by("-received_at")

    @extend_schema(request=GivenLabelSerializer(many=True), responses={202: LabelBatchSerializer})
    def create(self, request: Request, **where: str) -> Response:
        """Keep labels; which predictions they are about is looked up by a job (202, Location)."""
        endpoint = self._endpoint()
        labels = services.checked_labels(request.data)
        batch = services.record_labels(actor=request.actor, endpoint=endpoint, labels=labels)
        job = Job.objects.about(endpoint).filter(kind="monitoring.refresh").order_by("-created_at").first()
        body = {**LabelBatchSerializer(batch).data, "job": str(job.pk) if job else None}
        headers = {"Location": f"/api/v1/jobs/{job.pk}"} if job else {}
        return Response(body, status=202, headers=headers)

    def retrieve(self, request: Request, batch: str, **where: str) -> Response:
        return item(request, LabelBatchSerializer(find_batch(request, self._endpoint(), batch)).data)

    def _endpoint(self) -> Endpoint:
        where: dict[str, Any] = self.kwargs
        if "pk" in where:
            return find_endpoint_by_id(self.request, where["pk"])
        return find_endpoint(self.request, where["environment"], where["name"])
