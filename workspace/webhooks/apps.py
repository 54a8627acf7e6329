from importlib import import_module

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "workspace.webhooks"
    label = "workspace_webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        """Whoever asks for work must know its kinds, every event reach the outbox, and pages say who is told."""
        import_module("workspace.webhooks.tasks")
        import_module("workspace.webhooks.outbox")
        panels = import_module("workspace.webhooks.panels")
        for page in ("registry.model.rail", "registry.prompt.rail"):
            import_module("core.panels").register(
                page, 60, panels.webhooks_of_models, "webhooks/_model_panel.html"
            )
