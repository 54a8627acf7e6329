"""Web: pages, REST and the MLflow registry paths."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings")
everything = get_wsgi_application()

from mlflow_api.handler import PATHS, RegistryHandler  # noqa: E402 - needs Django set up

registry = RegistryHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Hot registry paths skip what pages need. On the unix socket only edge asks, and says for whom."""
    if not environ.get("REMOTE_ADDR"):
        environ["REMOTE_ADDR"] = environ.get("HTTP_X_FORWARDED_FOR", "")
    return (registry if environ["PATH_INFO"] in PATHS else everything)(environ, start_response)


# Now, not with the first request: workers share by fork what is loaded before it.
get_resolver().url_patterns  # noqa: B018
get_template("base.html")
