from django.apps import AppConfig

from workspace.refusal_words import EVENT_OF


class WorkspaceConfig(AppConfig):
    name = "workspace"
    label = "workspace"
    verbose_name = "Workspace"

    def ready(self) -> None:
        from audit.filters import name_refusals  # noqa: PLC0415 - needs the app registry
        from workspace.audit_links import add_audit_links  # noqa: PLC0415 - needs the app registry
        from workspace.sidebar import add_links  # noqa: PLC0415 - needs the app registry

        add_links()
        add_audit_links()
        name_refusals(EVENT_OF)
