"""Pages of runs."""

from django.urls import path

from registry.runs import views

app_name = "runs"
urlpatterns = [
    path("runs/", views.run_list, name="runs"),
    path("runs/<str:run_id>/", views.run_detail, name="run"),
]
