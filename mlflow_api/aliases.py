"""``registered-models/alias``"""

from __future__ import annotations

from typing import Any

from core.actors import Actor
from mlflow_api import rendering
from mlflow_api.arguments import Arguments
from mlflow_api.doors import by_method, door
from mlflow_api.finding import find_model, find_version
from registry import protected, services
from registry.names import checked_alias


@door()
def get(actor: Actor, sent: Arguments) -> str:
    return rendering.alias_json(actor, sent.text("name"), sent.text("alias"))


@door()
def point(actor: Actor, sent: Arguments) -> dict[str, Any]:
    alias = checked_alias(sent.text("alias"))
    version = find_version(actor, sent.text("name"), sent.version())
    if services.is_protected_alias(alias):
        protected.ask_to_move(actor, version.model, alias, version)
    else:
        services.set_alias(actor=actor, model=version.model, alias=alias, version=version)
    return {}


@door()
def delete(actor: Actor, sent: Arguments) -> dict[str, Any]:
    model, alias = find_model(actor, sent.text("name")), sent.text("alias")
    if not services.is_protected_alias(alias):
        services.delete_alias(actor=actor, model=model, alias=checked_alias(alias))
    elif model.aliases.filter(name=alias).exists():
        protected.ask_to_move(actor, model, alias, None)
    return {}


alias = by_method(GET=get, POST=point, DELETE=delete)
