"""MLflow's registry paths, under both of the prefixes its clients use."""

from collections.abc import Callable
from typing import Any

from django.urls import path

from mlflow_api import aliases, files, model_versions, registered_models, tracking
from mlflow_api.doors import by_method

app_name = "mlflow_api"
PREFIXES = ("api", "ajax-api")

DOORS: dict[str, Callable[..., Any]] = {
    "registered-models/create": by_method(POST=registered_models.create),
    "registered-models/get": by_method(GET=registered_models.get),
    "registered-models/search": by_method(GET=registered_models.search),
    "registered-models/rename": by_method(POST=registered_models.rename),
    "registered-models/update": by_method(PATCH=registered_models.update),
    "registered-models/delete": by_method(DELETE=registered_models.delete),
    "registered-models/set-tag": by_method(POST=registered_models.set_tag),
    "registered-models/delete-tag": by_method(DELETE=registered_models.delete_tag),
    "registered-models/get-latest-versions": by_method(
        GET=registered_models.get_latest_versions, POST=registered_models.get_latest_versions
    ),
    "registered-models/alias": aliases.alias,
    "model-versions/create": by_method(POST=model_versions.create),
    "model-versions/get": by_method(GET=model_versions.get),
    "model-versions/search": by_method(GET=model_versions.search),
    "model-versions/update": by_method(PATCH=model_versions.update),
    "model-versions/delete": by_method(DELETE=model_versions.delete),
    "model-versions/transition-stage": by_method(POST=model_versions.transition_stage),
    "model-versions/get-download-uri": by_method(GET=model_versions.get_download_uri),
    "model-versions/set-tag": by_method(POST=model_versions.set_tag),
    "model-versions/delete-tag": by_method(DELETE=model_versions.delete_tag),
}

urlpatterns: list[Any] = [path("internal/tracking/decide", tracking.decide, name="decide")]
for _prefix in PREFIXES:
    urlpatterns += [path(f"{_prefix}/2.0/mlflow/{address}", view) for address, view in DOORS.items()]
    urlpatterns += [
        path(f"{_prefix}/2.0/mlflow-artifacts/artifacts", files.folder),
        path(f"{_prefix}/2.0/mlflow-artifacts/artifacts/versions/<path:path>", files.one_file),
    ]
