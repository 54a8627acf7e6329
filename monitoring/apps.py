from importlib import import_module

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        """Hear the events of lower packages and show our panels on their pages."""
        import_module("monitoring.tasks")
        import_module("monitoring.costs.tasks")
        import_module("monitoring.handlers")
        import_module("monitoring.incidents.handlers")
        import_module("monitoring.panels")
