from importlib import import_module

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "workspace.webhooks"
    label = "workspace_webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        """Whoever asks for work must know its kinds, and every event must reach the outbox."""
        import_module("workspace.webhooks.tasks")
        import_module("workspace.webhooks.outbox")
