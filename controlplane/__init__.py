"""Controlplane: settings, URL map, processes and the demo."""

from controlplane.celery import app as celery_app

__all__ = ["celery_app"]
