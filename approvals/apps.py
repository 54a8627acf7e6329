from importlib import import_module

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    name = "approvals"
    label = "approvals"
    verbose_name = "Approvals"

    def ready(self) -> None:
        """Hear events from below, and answer for protected aliases."""
        import_module("approvals.tasks")
        import_module("approvals.handlers")
        import_module("registry.protected").answer_with(
            import_module("approvals.protection").ask_for_promotion
        )
