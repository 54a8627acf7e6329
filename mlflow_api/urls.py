"""MLflow's registry paths, under both of the prefixes its clients use."""

from django.urls import path

from mlflow_api import tracking

app_name = "mlflow_api"
urlpatterns = [path("internal/tracking/decide", tracking.decide, name="decide")]
