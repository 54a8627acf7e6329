from importlib import import_module

from django.apps import AppConfig

from core.later import Later


class SigningConfig(AppConfig):
    name = "registry.signing"
    label = "registry_signing"
    verbose_name = "Signatures of registered models"

    def ready(self) -> None:
        """Signatures are checked when a version is ready, and show on its page."""
        import_module("registry.signing.tasks")
        import_module("registry.signing.handlers")
        import_module("core.panels").register(
            "registry.version.rail",
            20,
            Later("registry.signing.panels.signatures_of_versions"),
            "registry/signing/_version_panel.html",
        )
        frame = import_module("core.frame")
        frame.add_link(
            frame.Link(
                210, "Signing keys", "/admin/signing-keys/", "key-round", right="administer", admin=True
            )
        )
