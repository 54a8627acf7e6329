"""Pages of runs."""

from django.urls import path

from registry.runs import downloads, views

app_name = "runs"
urlpatterns = [
    path("runs/", views.run_list, name="runs"),
    path("runs/compare/", views.compare_runs, name="compare"),
    path("runs/<str:run_id>/", views.run_detail, name="run"),
    path("runs/<str:run_id>/files/", views.run_files, name="files"),
    path("runs/<str:run_id>/files/<path:path>", downloads.run_file, name="file"),
    path("runs/<str:run_id>/metric/", views.run_metric, name="metric"),
    path("runs/<str:run_id>/metric.csv", downloads.run_metric_values, name="metric-values"),
    path("runs/<str:run_id>/register/", views.register_run, name="register"),
]
