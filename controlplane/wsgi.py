"""Web: pages, REST and the MLflow registry paths."""

import os

from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings")
application = get_wsgi_application()
# Now, not with the first request: workers share by fork what is loaded before it.
get_resolver().url_patterns  # noqa: B018
get_template("base.html")
