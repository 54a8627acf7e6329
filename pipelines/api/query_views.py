"""REST: reading versions of a data set from databases and buckets."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import IdempotentPosts
from core.jobs.models import Job
from pipelines import services
from pipelines.api.dataset_views import accepted
from pipelines.api.serializers import NewQuerySerializer, QuerySerializer
from pipelines.lookups import find_dataset
from pipelines.models import DatasetQuery


class QueryViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/datasets/{name}/queries``: what was read from sources, and reading more."""

    serializer_class = QuerySerializer
    ordering = "-requested_at"

    def get_queryset(self) -> QuerySet[DatasetQuery]:
        dataset = find_dataset(self.request, self.kwargs["name"])
        related = dataset.queries.select_related("dataset", "version", "requested_by")
        return related.defer("version__profile", "version__schema")

    @extend_schema(request=NewQuerySerializer, responses={202: QuerySerializer})
    def create(self, request: Request, name: str) -> Response:
        """202: a worker reads the query (read-only) or the objects beneath the prefix as one version."""
        dataset = find_dataset(request, name)
        new = NewQuerySerializer(data=request.data)
        new.is_valid(raise_exception=True)
        query = services.request_query(actor=request.actor, dataset=dataset, **new.validated_data)
        job = Job.objects.about(query).order_by("-created_at").first()
        return accepted(job, dict(QuerySerializer(query).data))
