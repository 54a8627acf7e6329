"""The Celery application: messages say "look at job N", rows hold the truth."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings")

app = Celery("controlplane")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_djangos_logging(**_: object) -> None:
    """Celery must not replace the structured logging of settings."""


@app.on_after_finalize.connect
def load_schedule(sender: Celery, **_: object) -> None:
    """Every @periodic kind, once all task modules are imported."""
    from core.jobs.schedule import beat_schedule  # noqa: PLC0415 - needs the app registry

    sender.loader.import_default_modules()
    sender.conf.beat_schedule = beat_schedule()
