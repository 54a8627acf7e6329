from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    name = "approvals"
    label = "approvals"
    verbose_name = "Approvals"

    def ready(self) -> None:
        from approvals import handlers  # noqa: F401, PLC0415 - subscribes to events
        from approvals.protection import ask_for_promotion  # noqa: PLC0415 - needs the app registry
        from registry.protected import answer_with  # noqa: PLC0415 - needs the app registry

        answer_with(ask_for_promotion)
