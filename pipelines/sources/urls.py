"""Pages about sources of data."""

from django.urls import path

from pipelines.sources import views

app_name = "sources"

urlpatterns = [
    path("admin/sources/", views.source_list, name="sources"),
    path("admin/sources/<str:name>/", views.source_detail, name="source"),
    path("admin/sources/<str:name>/revoke/", views.revoke_use, name="revoke-use"),
    path("admin/sources/<str:name>/remove/", views.remove_source, name="remove-source"),
]
