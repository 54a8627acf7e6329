from importlib import import_module

from django.apps import AppConfig

from core.later import Later


class DeploymentsConfig(AppConfig):
    name = "deployments"
    label = "deployments"
    verbose_name = "Deployments"

    def ready(self) -> None:
        import_module("deployments.tasks")
        retention = import_module("registry.retention")
        retention.keep("deployments", Later("deployments.panels.why_versions_stay"))
        retention.keep_name("deployments", Later("deployments.panels.why_name_stays"))
        import_module("registry.downstream").follow(
            "deployments", 10, Later("deployments.following.deployments_after")
        )
        import_module("pipelines.impact").register(20, Later("deployments.impact.deployments"))
        register = import_module("core.panels").register
        register(
            "registry.model",
            20,
            Later("deployments.panels.endpoints_of_models"),
            "deployments/_model_panel.html",
        )
        register(
            "registry.version.actions",
            30,
            Later("deployments.panels.deployable_versions"),
            "deployments/_version_action.html",
        )
