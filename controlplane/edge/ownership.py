"""Whose runs, experiments and logged models these are, as the tracking role reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from controlplane.edge.answers import Refused
from controlplane.edge.calls import OWNER

# The experiment of those who name none: everybody may log into it, each sees only their own.
SHARED_EXPERIMENT = "0"

FIND = {
    "experiment": """
        SELECT e.experiment_id::text, e.experiment_id::text, t.value FROM mlflow.experiments e
        LEFT JOIN mlflow.experiment_tags t ON t.experiment_id = e.experiment_id AND t.key = %s
        WHERE e.experiment_id = ANY(%s::bigint[])""",
    "run": """
        SELECT r.run_uuid, r.experiment_id::text, t.value FROM mlflow.runs r
        LEFT JOIN mlflow.tags t ON t.run_uuid = r.run_uuid AND t.key = %s
        WHERE r.run_uuid = ANY(%s::text[])""",
    "model": """
        SELECT m.model_id, m.experiment_id::text, t.tag_value FROM mlflow.logged_models m
        LEFT JOIN mlflow.logged_model_tags t ON t.model_id = m.model_id AND t.tag_key = %s
        WHERE m.model_id = ANY(%s::text[])""",
    "trace": """
        SELECT i.request_id, i.experiment_id::text, t.value FROM mlflow.trace_info i
        LEFT JOIN mlflow.trace_tags t ON t.request_id = i.request_id AND t.key = %s
        WHERE i.request_id = ANY(%s::text[])""",
}
FIND_EXPERIMENT_NAMED = "SELECT experiment_id::text FROM mlflow.experiments WHERE name = %s"


@dataclass(frozen=True)
class Thing:
    """An experiment, run, logged model or trace; ``owner`` is a person's id, empty when nobody's."""

    kind: str
    id: str
    experiment_id: str
    owner: str

    @property
    def is_shared(self) -> bool:
        return self.kind == "experiment" and self.id == SHARED_EXPERIMENT


class Ownership:
    """Reads the tracking server's tables; one statement per kind of thing named."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self.pool = pool

    async def of(self, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Thing]:
        """What exists of the named things."""
        wanted: dict[str, list[str]] = {}
        for kind, name in names:
            wanted.setdefault(kind, []).append(name)
        found: dict[tuple[str, str], Thing] = {}
        if not wanted:
            return found
        try:
            async with self.pool.connection() as connection:
                for kind, ids in wanted.items():
                    rows = await connection.execute(FIND[kind], [OWNER, ids])
                    for name, experiment_id, owner in await rows.fetchall():
                        found[kind, name] = Thing(kind, name, experiment_id, owner or "")
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise Refused(503, "The database does not answer; try again in a few seconds.") from error
        return found

    async def experiment_named(self, name: str) -> str | None:
        """The id of the experiment of this name."""
        try:
            async with self.pool.connection() as connection:
                rows = await connection.execute(FIND_EXPERIMENT_NAMED, [name])
                row = await rows.fetchone()
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise Refused(503, "The database does not answer; try again in a few seconds.") from error
        return row[0] if row else None
