"""REST addresses of the ledger."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from audit.api import views

router = SimpleRouter(trailing_slash="/?")
router.register("audit/events", views.EventViewSet, basename="audit-event")
router.register("audit/exports", views.ExportViewSet, basename="audit-export")

urlpatterns = [
    re_path(r"^audit/checkpoint/?$", views.CheckpointView.as_view(), name="audit-checkpoint"),
    re_path(r"^audit/proof/inclusion/?$", views.InclusionView.as_view(), name="audit-inclusion"),
    re_path(r"^audit/proof/consistency/?$", views.ConsistencyView.as_view(), name="audit-consistency"),
    *router.urls,
]
