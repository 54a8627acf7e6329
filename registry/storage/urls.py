"""Pages about storage."""

from django.urls import path

from registry.storage import views

app_name = "storage"
VERSION = "models/<str:name>/versions/<int:number>/"

urlpatterns = [
    path("deleted-versions/", views.deleted_versions, name="deleted-versions"),
    path("deleted-versions/<uuid:pk>/", views.deleted_version, name="deleted-version"),
    path("models/<str:name>/quota/", views.set_quota, name="set-quota"),
    path(f"{VERSION}hold/", views.place_hold, name="place-hold"),
    path(f"{VERSION}hold/release/", views.release_hold, name="release-hold"),
]
