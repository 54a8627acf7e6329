from importlib import import_module

from django.apps import AppConfig

from core.later import Later


class StorageConfig(AppConfig):
    name = "registry.storage"
    label = "registry_storage"
    verbose_name = "Storage of registered models"

    def ready(self) -> None:
        """What keeps versions and bytes is known wherever something may be deleted."""
        holds = import_module("registry.storage.holds")
        import_module("registry.retention").keep("legal hold", holds.why_versions_stay)
        import_module("core.object_store.collecting").names_objects(
            "registry", import_module("registry.storage.bytes_in_use").named_by_manifests
        )
        register = import_module("core.panels").register
        of_models, of_versions = (
            Later(f"registry.storage.panels.{name}") for name in ("storage_of_models", "holds_of_versions")
        )
        for kind in ("model", "prompt"):
            register(f"registry.{kind}.rail", 30, of_models, "registry/storage/_model_panel.html")
        for kind in ("version", "prompt_version"):
            register(f"registry.{kind}.rail", 30, of_versions, "registry/storage/_version_panel.html")
