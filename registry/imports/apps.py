from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "registry.imports"
    label = "registry_imports"
    verbose_name = "Imports from MLflow servers"
