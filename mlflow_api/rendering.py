"""What the doors answer: MLflow's JSON as PostgreSQL made it, or why there is none."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import connection

from core.actors import Actor
from core.errors import Invalid, NotFound
from core.hot_reads import fetch_row
from mlflow_api import statements
from registry.models import ModelVersion, RegisteredModel
from registry.names import checked_name, normal_name

ALL_STAGES = statements.ALL_STAGES


def model_json(actor: Actor, name: str) -> str:
    """``{"registered_model": …}`` of the model of this name, if the actor may see it."""
    found = _one(statements.model(actor, named(name)))
    if found is None:
        raise missing_model(name)
    return found


def version_json(actor: Actor, name: str, number: int) -> str:
    """``{"model_version": …}`` of one version."""
    found = _one(statements.version(actor, named(name), number))
    if found is None:
        raise missing_version(name, number)
    return found


def alias_json(actor: Actor, name: str, alias: str) -> str:
    """The version an alias points at; ``latest`` is the one of the highest number."""
    found = _one(statements.aliased(actor, named(name), alias))
    if found is None:
        model_json(actor, name)  # not found, if that is the reason
        if alias.lower() == "latest":
            raise NotFound(f"Registered Model {name[:256]} has no version yet.", field="alias")
        raise Invalid(
            f"Registered model alias {alias} not found.", field="alias", allowed="an alias of the model"
        )
    return found


def latest_json(actor: Actor, name: str, stages: Sequence[str]) -> str:
    """``{"model_versions": […]}``: the newest version of each stage asked for."""
    found = _one(statements.latest(actor, named(name), stages))
    if found is None:
        raise missing_model(name)
    return found


def models_json(ids: Sequence[uuid.UUID]) -> list[str]:
    """The models of these ids, which the caller has found to be visible, in their order."""
    return _many(statements.MODELS, ids)


def versions_json(ids: Sequence[uuid.UUID]) -> list[str]:
    """The versions of these ids, which the caller has found to be visible, in their order."""
    return _many(statements.VERSIONS, ids)


def own_model_json(model: RegisteredModel) -> str:
    """``{"registered_model": …}`` of a row the caller has in hand."""
    return _own(statements.OWN_MODEL, model)


def own_version_json(version: ModelVersion) -> str:
    """``{"model_version": …}`` of a row the caller has in hand."""
    return _own(statements.OWN_VERSION, version)


def page(word: str, entries: Sequence[str], next_token: str) -> str:
    """A page of JSON texts as one JSON text; MLflow leaves out an empty token."""
    rest = f',"next_page_token":"{next_token}"' if next_token else ""
    return f'{{"{word}":[{",".join(entries)}]{rest}}}'


def missing_model(name: str) -> NotFound:
    return NotFound(f"Registered Model with name={name[:256]} not found", field="name")


def missing_version(name: str, number: int) -> NotFound:
    return NotFound(f"Model Version (name={name[:256]}, version={number}) not found", field="version")


def named(name: str) -> str:
    """The form in which a name is stored; a name no model can have is refused."""
    return normal_name(checked_name(name))


def _one(statement: statements.Statement) -> str | None:
    row = fetch_row(*statement)
    return row[0] if row else None


def _own(sql: str, row: RegisteredModel | ModelVersion) -> str:
    found = fetch_row(sql, [row.pk])
    if found is None:
        raise Invalid(f"{row} has just been deleted.")
    return str(found[0])


def _many(sql: str, ids: Sequence[uuid.UUID]) -> list[str]:
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(ids)])
        return [text for (text,) in cursor.fetchall()]
