"""What may be searched of models and of versions, by which columns, and in which orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from core.actors import Actor
from mlflow_api import statements
from registry.models import ModelTag, ModelVersion, RegisteredModel, VersionTag


@dataclass(frozen=True)
class Surface:
    """What may be searched and ordered of one kind of thing, and by which columns."""

    rows: type[RegisteredModel] | type[ModelVersion]
    texts: dict[str, str]
    numbers: dict[str, str]
    orders: dict[str, str]
    tag: type[ModelTag] | type[VersionTag]
    tag_column: str
    default_order: tuple[tuple[str, bool], ...]
    ties: tuple[tuple[str, bool], ...]
    lists: tuple[str, ...]
    rendered: str

    def visible_to(self, actor: Actor) -> QuerySet[Any]:
        return self.rows.objects.visible_to(actor)


MODELS = Surface(
    rows=RegisteredModel,
    texts={"name": "name"},
    numbers={},
    orders={
        "name": "name",
        "timestamp": "created_at",
        "creation_timestamp": "created_at",
        "last_updated_timestamp": "last_updated_at",
    },
    tag=ModelTag,
    tag_column="model",
    default_order=(),
    ties=(("name", False),),
    lists=("name",),
    rendered=statements.FOUND_MODELS,
)
VERSIONS = Surface(
    rows=ModelVersion,
    texts={"name": "model__name", "run_id": "run_id", "source_path": "source"},
    numbers={"version_number": "number"},
    orders={
        "name": "model__name",
        "version_number": "number",
        "creation_timestamp": "created_at",
        "last_updated_timestamp": "last_updated_at",
    },
    tag=VersionTag,
    tag_column="version",
    default_order=(("last_updated_at", True),),
    ties=(("model__name", False), ("number", True)),
    lists=("name", "run_id"),
    rendered=statements.FOUND_VERSIONS,
)
