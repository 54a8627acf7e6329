from importlib import import_module

from django.apps import AppConfig
from django.conf import settings

from core.logs import log_what_nobody_catches


class CoreConfig(AppConfig):
    name = "core"
    label = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        """Whoever emits an event enqueues its delivery, also where no worker runs."""
        import_module("core.tasks")
        if settings.LOG_UNCAUGHT:
            log_what_nobody_catches()
