"""REST: the software bill of materials of a version."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import viewsets
from rest_framework.request import Request

from core.etags import etag_of
from registry.api.downloads import HEADERS
from registry.lookups import find_version
from registry.sbom import MEDIA_TYPE, bill_of


class BillViewSet(viewsets.GenericViewSet):
    """``/models/{name}/versions/{number}/sbom``."""

    pagination_class = None

    @extend_schema(responses={(200, "application/vnd.cyclonedx+json"): OpenApiTypes.OBJECT})
    def retrieve(self, request: Request, name: str, number: int) -> HttpResponse:
        """CycloneDX 1.6 as JSON, as a file to save."""
        version = find_version(request, name, number)
        answer = HttpResponse(
            bill_of(version),
            content_type=MEDIA_TYPE,
            headers={**HEADERS, "ETag": etag_of(version.pk, version.digest, version.description)},
        )
        answer["Content-Disposition"] = f'attachment; filename="v{version.number}.cdx.json"'
        return answer
