from importlib import import_module

from django.apps import AppConfig

from core.later import Later


class ScansConfig(AppConfig):
    name = "registry.scans"
    label = "registry_scans"
    verbose_name = "Scans"

    def ready(self) -> None:
        """A version that becomes ready is scanned; what was found stands on its page."""
        import_module("registry.scans.tasks")
        import_module("core.panels").register(
            "registry.version", 40, Later("registry.scans.panels.scans_of_versions"), "scans/_panel.html"
        )
