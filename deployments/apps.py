from importlib import import_module

from django.apps import AppConfig


class DeploymentsConfig(AppConfig):
    name = "deployments"
    label = "deployments"
    verbose_name = "Deployments"

    def ready(self) -> None:
        import_module("deployments.tasks")
        panels = import_module("deployments.panels")
        import_module("registry.retention").keep("deployments", panels.why_versions_stay)
        following = import_module("deployments.following")
        import_module("registry.downstream").follow("deployments", 10, following.deployments_after)
        import_module("pipelines.impact").register(20, import_module("deployments.impact").deployments)
        register = import_module("core.panels").register
        register("registry.model", 20, panels.endpoints_of_models, "deployments/_model_panel.html")
        register(
            "registry.version.actions", 30, panels.deployable_versions, "deployments/_version_action.html"
        )
