"""Pages about scans."""

from django.urls import path

from registry.scans import views

app_name = "scans"

urlpatterns = [path("models/<str:name>/versions/<int:number>/scan/", views.scan_version, name="scan-version")]
