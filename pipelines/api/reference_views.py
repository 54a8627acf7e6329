"""REST: the digests under which MLflow and others know a data set version."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import IdempotentPosts
from pipelines import services
from pipelines.api.serializers import NewReferenceSerializer, ReferenceSerializer
from pipelines.lookups import find_dataset_version
from pipelines.models import VersionReference


class ReferenceViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/datasets/{name}/versions/{number}/references``."""

    serializer_class = ReferenceSerializer

    def get_queryset(self) -> QuerySet[VersionReference]:
        version = find_dataset_version(self.request, self.kwargs["name"], self.kwargs["number"])
        return version.references.select_related("created_by")

    @extend_schema(request=NewReferenceSerializer, responses={201: ReferenceSerializer})
    def create(self, request: Request, name: str, number: int) -> Response:
        """Runs that log the data set with this digest name this version in their lineage."""
        new = NewReferenceSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        version = find_dataset_version(request, name, number)
        row = services.add_reference(actor=request.actor, version=version, **new.validated_data)
        return Response(ReferenceSerializer(row).data, status=201)
