"""The gateway process: ``granian --interface asgi deployments.serving.gateway:app``."""

from __future__ import annotations

import os
import socket

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings")
django.setup()

from deployments.folders import journal_folder, routing_file  # noqa: E402 - models need django.setup()
from deployments.gateway_directory import DatabaseDirectory  # noqa: E402
from deployments.serving.asgi import Gateway  # noqa: E402
from deployments.serving.journal import Journal  # noqa: E402


def open_journal() -> Journal:
    """One journal per process, named after it."""
    return Journal(
        journal_folder(),
        f"{socket.gethostname()}-{os.getpid()}",
        rotate_seconds=settings.PREDICTION_LOG_ROTATE_SECONDS,
        is_durable=settings.PREDICTION_LOG_MODE == "durable",
    )


app = Gateway(DatabaseDirectory(routing_file()), open_journal)
