from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "registry.access"
    label = "registry_access"
    verbose_name = "Access to registered models"
