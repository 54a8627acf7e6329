from importlib import import_module

from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "registry.uploads"
    label = "registry_uploads"
    verbose_name = "Uploads of model folders"

    def ready(self) -> None:
        import_module("registry.uploads.tasks")
        import_module("registry.uploads.handlers")
