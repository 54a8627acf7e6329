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
        register(
            "registry.model.rail",
            30,
            Later("registry.storage.panels.storage_of_models"),
            "registry/storage/_model_panel.html",
        )
        register(
            "registry.version.rail",
            30,
            Later("registry.storage.panels.holds_of_versions"),
            "registry/storage/_version_panel.html",
        )
