from importlib import import_module

from django.apps import AppConfig

from core.later import Later


class CardsConfig(AppConfig):
    name = "registry.cards"
    label = "registry_cards"
    verbose_name = "Model cards"

    def ready(self) -> None:
        """How complete the card is stands on the pages of the model and of its versions."""
        register = import_module("core.panels").register
        register(
            "registry.model.rail", 30, Later("registry.cards.panels.cards_of_models"), "cards/_panel.html"
        )
        register(
            "registry.version.rail", 30, Later("registry.cards.panels.cards_of_versions"), "cards/_panel.html"
        )
