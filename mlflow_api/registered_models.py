"""``registered-models/…``"""

from __future__ import annotations

from typing import Any

from core.actors import Actor
from mlflow_api import rendering, searching
from mlflow_api.arguments import Arguments
from mlflow_api.doors import door
from mlflow_api.finding import find_model
from mlflow_api.surfaces import MODELS
from registry import services
from registry.services.aliases import checked_stage

MOST_MODELS, DEFAULT_MODELS = 1000, 100


@door(needs_sight=False)
def create(actor: Actor, sent: Arguments) -> str:
    model = services.create_model(
        actor=actor, name=sent.text("name"), description=sent.text("description", ""), tags=sent.tags()
    )
    return rendering.own_model_json(model)


@door()
def get(actor: Actor, sent: Arguments) -> str:
    return rendering.model_json(actor, sent.text("name"))


@door()
def search(actor: Actor, sent: Arguments) -> str:
    page = searching.search(
        MODELS,
        actor,
        text=sent.text("filter", ""),
        order_by=sent.texts("order_by"),
        token=sent.text("page_token", ""),
        size=sent.number("max_results", default=DEFAULT_MODELS, largest=MOST_MODELS),
    )
    return rendering.page("registered_models", page.entries, page.next_token)


@door()
def rename(actor: Actor, sent: Arguments) -> str:
    model = find_model(actor, sent.text("name"))
    services.rename_model(actor=actor, model=model, new_name=sent.text("new_name"))
    return rendering.own_model_json(model)


@door()
def update(actor: Actor, sent: Arguments) -> str:
    model = find_model(actor, sent.text("name"))
    if sent.has("description"):
        services.update_model(actor=actor, model=model, description=sent.text("description", ""))
    return rendering.own_model_json(model)


@door()
def delete(actor: Actor, sent: Arguments) -> dict[str, Any]:
    services.delete_model(
        actor=actor, model=find_model(actor, sent.text("name")), reason="Deleted by an MLflow client."
    )
    return {}


@door()
def set_tag(actor: Actor, sent: Arguments) -> dict[str, Any]:
    model = find_model(actor, sent.text("name"))
    services.set_tag(actor=actor, target=model, key=sent.text("key"), value=sent.text("value", ""))
    return {}


@door()
def delete_tag(actor: Actor, sent: Arguments) -> dict[str, Any]:
    services.delete_tag(actor=actor, target=find_model(actor, sent.text("name")), key=sent.text("key"))
    return {}


@door()
def get_latest_versions(actor: Actor, sent: Arguments) -> str:
    stages = [checked_stage(each) for each in sent.texts("stages")]
    return rendering.latest_json(actor, sent.text("name"), stages or rendering.ALL_STAGES)
