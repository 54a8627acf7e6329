"""Pages of evaluations."""

from django.urls import path

from registry.evaluations import views

app_name = "evaluations"

urlpatterns = [path("evaluations/<uuid:key>/", views.evaluation_detail, name="evaluation")]
