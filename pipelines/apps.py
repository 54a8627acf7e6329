from importlib import import_module

from django.apps import AppConfig


class PipelinesConfig(AppConfig):
    name = "pipelines"
    label = "pipelines"
    verbose_name = "Data and pipelines"

    def ready(self) -> None:
        """Whoever asks for work must know its kinds, also where no worker runs."""
        import_module("pipelines.tasks")
