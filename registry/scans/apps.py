from importlib import import_module

from django.apps import AppConfig


class ScansConfig(AppConfig):
    name = "registry.scans"
    label = "registry_scans"
    verbose_name = "Scans"

    def ready(self) -> None:
        """A version that becomes ready is scanned; what was found stands on its page."""
        import_module("registry.scans.tasks")
        panels = import_module("registry.scans.panels")
        import_module("core.panels").register(
            "registry.version", 40, panels.scans_of_versions, "scans/_panel.html"
        )
