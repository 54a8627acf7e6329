"""REST addresses of the ledger; a trailing slash is accepted and never needed."""

from django.urls import re_path

from audit.api import views

EXPORT = r"^audit/exports/(?P<pk>[0-9a-f-]{36})"

urlpatterns = [
    re_path(r"^audit/events/?$", views.EventViewSet.as_view({"get": "list"}), name="audit-events"),
    re_path(
        r"^audit/events/(?P<pk>[0-9a-f-]{36})/?$",
        views.EventViewSet.as_view({"get": "retrieve"}),
        name="audit-event",
    ),
    re_path(r"^audit/checkpoint/?$", views.CheckpointView.as_view(), name="audit-checkpoint"),
    re_path(r"^audit/proof/inclusion/?$", views.InclusionView.as_view(), name="audit-inclusion"),
    re_path(r"^audit/proof/consistency/?$", views.ConsistencyView.as_view(), name="audit-consistency"),
    re_path(
        r"^audit/exports/?$",
        views.ExportViewSet.as_view({"get": "list", "post": "create"}),
        name="audit-exports",
    ),
    re_path(EXPORT + r"/?$", views.ExportViewSet.as_view({"get": "retrieve"}), name="audit-export"),
    re_path(EXPORT + r"/file/?$", views.ExportViewSet.as_view({"get": "file"}), name="audit-export-file"),
]
