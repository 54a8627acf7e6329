"""Pages of data and pipelines."""

from django.urls import path

from pipelines import views

app_name = "pipelines"

urlpatterns = [
    path("data/", views.dataset_list, name="datasets"),
    path("data/<str:name>/", views.dataset_detail, name="dataset"),
    path(
        "data/<str:name>/versions/<int:number>/quarantine/",
        views.quarantine_version,
        name="quarantine-version",
    ),
    path("pipelines/", views.pipeline_list, name="pipelines"),
    path("pipelines/<str:name>/", views.pipeline_detail, name="pipeline"),
    path("pipelines/<str:name>/runs/<uuid:key>/", views.run_detail, name="run"),
    path("pipelines/<str:name>/runs/<uuid:key>/cancel/", views.cancel_run, name="cancel-run"),
]
