"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from registry.uploads.api.views import PartViewSet, UploadViewSet

UPLOADS = r"^models/(?P<name>[^/]+)/uploads"
UPLOAD = UPLOADS + r"/(?P<key>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"

urlpatterns: list[Any] = [
    re_path(UPLOADS + r"/?$", UploadViewSet.as_view({"get": "list", "post": "create"}), name="model-uploads"),
    re_path(
        UPLOAD + r"/?$", UploadViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="model-upload"
    ),
    re_path(
        UPLOAD + r"/files/(?P<file>[0-9]{1,5})/parts/(?P<start>[0-9]{1,18})/?$",
        PartViewSet.as_view({"put": "update"}),
        name="model-upload-part",
    ),
]
