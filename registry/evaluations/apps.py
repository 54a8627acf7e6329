from importlib import import_module

from django.apps import AppConfig

from core.later import Later


class EvaluationsConfig(AppConfig):
    name = "registry.evaluations"
    label = "registry_evaluations"
    verbose_name = "Evaluations"

    def ready(self) -> None:
        """Whoever asks for work must know its kinds; evaluations show on a version's page and in its lineage."""
        import_module("registry.evaluations.tasks")
        import_module("core.panels").register(
            "registry.version",
            10,
            Later("registry.evaluations.panels.evaluations_of_versions"),
            "evaluations/_version_panel.html",
        )
        import_module("registry.downstream").follow(
            "evaluations", 20, Later("registry.evaluations.following.evaluations_after")
        )
