"""REST: evaluations."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.sight import require_sight
from core.api.items import item
from core.api.views import IdempotentPosts
from core.jobs.models import Job
from pipelines.lookups import find_dataset_version
from registry.evaluations import services
from registry.evaluations.api.serializers import EvaluationSerializer, NewEvaluationSerializer
from registry.evaluations.lookups import find_evaluation
from registry.evaluations.models import Evaluation
from registry.lookups import find_version


class EvaluationViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/evaluations``, and those of one version below it."""

    serializer_class = EvaluationSerializer

    def get_queryset(self) -> QuerySet[Evaluation]:
        require_sight(self.request.actor)
        rows = Evaluation.objects.visible_to(self.request.actor).select_related(
            "candidate__model", "champion__model", "dataset_version__dataset"
        )
        if "name" in self.kwargs:
            rows = rows.filter(
                candidate=find_version(self.request, self.kwargs["name"], self.kwargs["number"])
            )
        return rows

    @extend_schema(request=NewEvaluationSerializer, responses={202: EvaluationSerializer})
    def create(self, request: Request) -> Response:
        """202: a worker scores both versions on the same rows."""
        new = NewEvaluationSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        asked = new.validated_data
        champion = asked["champion"]
        evaluation = services.request_evaluation(
            actor=request.actor,
            candidate=find_version(request, asked["model"], asked["candidate"]),
            champion=find_version(request, asked["model"], champion) if champion else None,
            dataset_version=find_dataset_version(request, asked["dataset"], asked["dataset_version"]),
        )
        job = Job.objects.about(evaluation).order_by("-created_at").first()
        address = f"/api/v1/jobs/{job.pk}" if job else f"/api/v1/evaluations/{evaluation.pk}"
        body = {**EvaluationSerializer(find_evaluation(request, evaluation.pk)).data, "job": address}
        return Response(body, status=202, headers={"Location": address})

    @extend_schema(responses=EvaluationSerializer)
    def retrieve(self, request: Request, key: UUID) -> Response:
        return item(request, EvaluationSerializer(find_evaluation(request, key)).data)
