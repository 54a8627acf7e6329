from importlib import import_module

from django.apps import AppConfig

from core.later import Later


class ApprovalsConfig(AppConfig):
    name = "approvals"
    label = "approvals"
    verbose_name = "Approvals"

    def ready(self) -> None:
        """Hear events from below, and answer for protected aliases and for who may roll back."""
        import_module("approvals.tasks")
        import_module("approvals.handlers")
        protection = import_module("approvals.protection")
        import_module("registry.protected").answer_with(protection.ask_for_promotion, protection.where_to_ask)
        import_module("registry.obstacles").ask_also("approvals", Later("approvals.obstacles.obstacles_of"))
        import_module("registry.retention").keep("approvals", Later("approvals.panels.why_versions_stay"))
        import_module("deployments.rollback_roles").answer_with(protection.roles_for_rollback)
        register = import_module("core.panels").register
        register(
            "registry.version.actions",
            10,
            Later("approvals.panels.promotions_of_versions"),
            "approvals/_version_action.html",
        )
        register(
            "registry.models.needs",
            10,
            Later("approvals.panels.requests_of_models"),
            "approvals/_model_waiting.html",
        )
        register(
            "registry.version.notices",
            10,
            Later("approvals.panels.setbacks_of_versions"),
            "approvals/_version_notice.html",
        )
        register(
            "registry.tombstone",
            10,
            Later("approvals.panels.requests_about_tombstones"),
            "approvals/_tombstone_panel.html",
        )
