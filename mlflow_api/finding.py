# ruff: noqa: S608 - what is put together here are constants; every value is bound
"""Finding what a call names, among what the caller may see, in one prepared statement."""

from __future__ import annotations

from core.actors import Actor
from core.hot_reads import fetch_row
from core.hot_rows import made_row
from mlflow_api.rendering import missing_model, missing_version, named
from mlflow_api.sight import sight
from registry.locks import MODEL_COLUMNS, MODEL_FIELDS, VERSION_COLUMNS, VERSION_FIELDS
from registry.models import ModelVersion, RegisteredModel

SEEN = "m.name = %s AND m.deleted_at IS NULL AND {seen}"
MODEL = f"SELECT {MODEL_COLUMNS} FROM registry_registeredmodel m WHERE {SEEN}"
VERSION = f"""SELECT {MODEL_COLUMNS}, {VERSION_COLUMNS} FROM registry_registeredmodel m
 LEFT JOIN registry_modelversion v ON v.model_id = m.id AND v.number = %s AND v.deleted_at IS NULL WHERE {SEEN}"""


def find_model(actor: Actor, name: str) -> RegisteredModel:
    seen, bound = sight(actor)
    found = fetch_row(MODEL.format(seen=seen), [named(name), *bound])
    if found is None:
        raise missing_model(name)
    return made_row(RegisteredModel, MODEL_FIELDS, found)


def find_version(actor: Actor, name: str, number: int) -> ModelVersion:
    seen, bound = sight(actor)
    found = fetch_row(VERSION.format(seen=seen), [number, named(name), *bound])
    if found is None:
        raise missing_model(name)
    of_model, of_version = found[: len(MODEL_FIELDS)], found[len(MODEL_FIELDS) :]
    if of_version[0] is None:
        raise missing_version(name, number)
    version = made_row(ModelVersion, VERSION_FIELDS, of_version)
    version.model = made_row(RegisteredModel, MODEL_FIELDS, of_model)
    return version
