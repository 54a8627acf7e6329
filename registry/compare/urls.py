"""Pages that compare versions."""

from django.urls import path

from registry.compare import views

app_name = "compare"

urlpatterns = [
    path("models/<str:name>/compare/", views.compare_versions, name="versions"),
    path("models/<str:name>/compare/evaluate/", views.evaluate_both, name="evaluate"),
]
