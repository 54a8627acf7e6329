from importlib import import_module

from django.apps import AppConfig

from core.later import Later


class RegistryConfig(AppConfig):
    name = "registry"
    label = "registry"
    verbose_name = "Registry"

    def ready(self) -> None:
        """Whoever asks for work must know its kinds, also where no worker runs."""
        import_module("registry.tasks")
        import_module("pipelines.impact").register(10, Later("registry.impact.model_versions"))
