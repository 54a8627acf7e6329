"""Finding what a call names, among what the caller may see."""

from __future__ import annotations

from core.actors import Actor
from mlflow_api.rendering import missing_model, missing_version, named
from registry.models import ModelVersion, RegisteredModel


def find_model(actor: Actor, name: str) -> RegisteredModel:
    model = RegisteredModel.objects.visible_to(actor).filter(name=named(name)).first()
    if model is None:
        raise missing_model(name)
    return model


def find_version(actor: Actor, name: str, number: int) -> ModelVersion:
    model = find_model(actor, name)
    version = ModelVersion.objects.visible_to(actor).in_lists().filter(model=model, number=number).first()
    if version is None:
        raise missing_version(name, number)
    return version
