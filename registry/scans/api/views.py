"""REST: what scanners said of a version."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import IdempotentPosts
from core.jobs.models import Job
from registry.lookups import find_version
from registry.scans import services
from registry.scans.models import Scan


class ScanSerializer(serializers.ModelSerializer):
    class Meta:
        model = Scan
        fields = (
            "id",
            "digest",
            "status",
            "verdict",
            "files",
            "reports",
            "sandbox",
            "failure",
            "requested_by_name",
            "created_at",
            "finished_at",
        )


class ScanViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/models/{name}/versions/{number}/scans``, newest first."""

    serializer_class = ScanSerializer

    def get_queryset(self) -> QuerySet[Scan]:
        version = find_version(self.request, self.kwargs["name"], self.kwargs["number"])
        return Scan.objects.filter(version=version)

    @extend_schema(request=None, responses={202: ScanSerializer})
    def create(self, request: Request, name: str, number: int) -> Response:
        """202: a worker scans the files in a sandbox."""
        scan = services.request_scan(actor=request.actor, version=find_version(request, name, number))
        job = Job.objects.about(scan).latest("created_at")
        address = f"/api/v1/jobs/{job.pk}"
        return Response(
            {**ScanSerializer(scan).data, "job": address}, status=202, headers={"Location": address}
        )
