from importlib import import_module

from django.apps import AppConfig

from core.later import Later


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        """Know our jobs, hear lower packages' events, and show our panels on their pages."""
        for module in ("tasks", "costs.tasks", "handlers", "incidents.handlers"):
            import_module(f"monitoring.{module}")
        panels = import_module("core.panels")
        panels.register(
            "registry.models",
            10,
            Later("monitoring.panels.health_of_models"),
            "monitoring/_model_health.html",
        )
        panels.register(
            "registry.model", 30, Later("monitoring.panels.health_of_models"), "monitoring/_model_panel.html"
        )
        panels.register(
            "registry.version.changed",
            10,
            Later("monitoring.incidents.integrity.incidents_of_changed"),
            "monitoring/_incident_of_files.html",
        )
        cost_of_going_back = Later("monitoring.board.going_back.quality_of_targets")
        panels.register("deployments.rollback", 10, cost_of_going_back, "monitoring/_rollback_panel.html")
        import_module("registry.health").judge_by("monitoring", Later("monitoring.panels.unhealthy_models"))
        import_module("core.frame").add_pinned(Later("monitoring.panels.pinned_models"))
