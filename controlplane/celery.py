"""The Celery application: messages say "look at job N", rows hold the truth."""

import gc
import os

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_process_init

from core.parent import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings")

app = Celery("controlplane")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_djangos_logging(**_: object) -> None:
    """Celery must not replace the structured logging of settings."""


@worker_init.connect
def share_what_is_loaded(**_: object) -> None:
    """Frozen, it stays out of garbage collection, so that the child does not copy it page by page."""
    gc.collect()
    gc.freeze()


@worker_process_init.connect
def end_with_the_worker(**_: object) -> None:
    """A worker killed with -9 leaves no child at work on a job somebody else will get."""
    die_with_parent()


@app.on_after_finalize.connect
def load_schedule(sender: Celery, **_: object) -> None:
    """Every @periodic kind, once all task modules are imported."""
    from core.jobs.schedule import beat_schedule  # noqa: PLC0415 - needs the app registry

    sender.loader.import_default_modules()
    sender.conf.beat_schedule = beat_schedule()
