"""Pages of the registry."""

from django.urls import path

from registry.views import access, models, versions

app_name = "registry"
VERSION = "models/<str:name>/versions/<int:number>/"

urlpatterns = [
    path("models/", models.model_list, name="models"),
    path("models/<str:name>/", models.model_detail, name="model"),
    path("models/<str:name>/edit/", models.edit_model, name="edit-model"),
    path("models/<str:name>/access/", access.model_access, name="model-access"),
    path("models/<str:name>/access/revoke/", access.revoke_right, name="revoke-right"),
    path(VERSION, versions.version_detail, name="version"),
    path(f"{VERSION}status/", versions.version_status, name="version-status"),
    path(f"{VERSION}edit/", versions.edit_version, name="edit-version"),
    path(f"{VERSION}verify/", versions.verify_version, name="verify-version"),
    path(f"{VERSION}retry/", versions.retry_registration, name="retry-registration"),
]
