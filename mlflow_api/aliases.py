"""``registered-models/alias``"""

from __future__ import annotations

from typing import Any

from audit.services import record_denied
from core.actors import Actor
from core.errors import Conflict, NotAllowed
from mlflow_api import rendering
from mlflow_api.arguments import Arguments
from mlflow_api.doors import by_method, door
from mlflow_api.finding import find_model, find_version
from registry import protected, services
from registry.models import ModelVersion, RegisteredModel
from registry.names import checked_alias

PROTECTED = {"protected_alias", "promotion_required", "promotion_under_way"}


@door()
def get(actor: Actor, sent: Arguments) -> str:
    return rendering.alias_json(actor, sent.text("name"), sent.text("alias"))


@door()
def point(actor: Actor, sent: Arguments) -> dict[str, Any]:
    model, alias = find_model(actor, sent.text("name")), checked_alias(sent.text("alias"))
    version = find_version(actor, model.name, sent.version())
    if services.is_protected_alias(alias):
        move_protected(actor, model, alias, version)
    else:
        services.set_alias(actor=actor, model=model, alias=alias, version=version)
    return {}


@door()
def delete(actor: Actor, sent: Arguments) -> dict[str, Any]:
    model, alias = find_model(actor, sent.text("name")), sent.text("alias")
    if not services.is_protected_alias(alias):
        services.delete_alias(actor=actor, model=model, alias=checked_alias(alias))
    elif model.aliases.filter(name=alias).exists():
        move_protected(actor, model, alias, None)
    return {}


def move_protected(actor: Actor, model: RegisteredModel, alias: str, version: ModelVersion | None) -> None:
    """Let approvals decide; a refusal carries the address of the promotion request, and is an event."""
    try:
        protected.ask_to_move(actor, model, alias, version)
    except (NotAllowed, Conflict) as error:
        if error.code not in PROTECTED:
            raise  # a service refused, and has recorded that itself
        about = {"alias": alias, "version": version.number if version else None}
        record_denied(
            actor=actor,
            action="registry.alias_set",
            target=model,
            reason=error.message,
            code=error.code,
            extra=about,
        )
        raise


alias = by_method(GET=get, POST=point, DELETE=delete)
