"""The top package as a Django app: whoever runs Django also has the Celery application."""

from django.apps import AppConfig

from controlplane.celery import app as celery_app

__all__ = ["ControlplaneConfig", "celery_app"]


class ControlplaneConfig(AppConfig):
    name = "controlplane"
    label = "controlplane"
    verbose_name = "Controlplane"
