"""The map: pages are free of packages, REST is under /api/v1, MLflow under its own paths."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.urls import include, path

APPS = [
    "accounts",
    "audit",
    "pipelines",
    "pipelines.sources",
    "registry",
    "registry.evaluations",
    "registry.runs",
    "registry.storage",
    "registry.signing",
    "registry.uploads",
    "registry.compare",
    "registry.cards",
    "registry.scans",
    "deployments",
    "monitoring",
    "approvals",
    "workspace.webhooks",
    "workspace.saved_views",
    "workspace",
]


def _present(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


rest: list[Any] = []
for _app in APPS:
    if _present(f"{_app}.api.urls"):
        rest += import_module(f"{_app}.api.urls").urlpatterns

urlpatterns: list[Any] = [path("api/v1/", include((rest, "api")))]
if _present("mlflow_api.urls"):
    urlpatterns.append(path("", include("mlflow_api.urls")))
urlpatterns += [path("", include(f"{_app}.urls")) for _app in APPS if _present(f"{_app}.urls")]
if _present("controlplane.health"):
    urlpatterns.append(path("", include("controlplane.health")))

handler400 = "core.error_pages.bad_request"
handler403 = "core.error_pages.forbidden"
handler429 = "core.error_pages.too_many"  # allauth's rate limits
handler404 = "core.error_pages.not_found"
handler500 = "core.error_pages.broken"
