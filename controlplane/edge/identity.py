"""Who asks: the token in the request, looked up where web looks it up."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from accounts import tokens
from accounts.token_lookup import (
    FIND_LIVE,
    NOTE_USE,
    REFUSED,
    actor_of,
    is_use_worth_noting,
    secret_from_header,
)
from controlplane.edge.answers import Refused
from core.actors import Actor

READING = ("view", "create", "register")
WRITING = ("create", "register")


class Identity:
    """Reads tokens as the application's database role; nothing is remembered between requests."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self.pool = pool

    async def of(self, scope: Any, **context: str) -> Actor:
        """The actor behind the request's token; 401 without a live one."""
        secret = secret_from_header(_authorization(scope))
        if secret is None:
            raise Refused(401, "Sign in with a token: set MLFLOW_TRACKING_TOKEN.")
        if not tokens.looks_right(secret):
            raise Refused(401, REFUSED)
        try:
            async with self.pool.connection() as connection:
                actor = await self.actor_of(connection, secret, **context)
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise Refused(503, "The database does not answer; try again in a few seconds.") from error
        if actor is None:
            raise Refused(401, REFUSED)
        return actor

    @staticmethod
    def secret_of(scope: Any) -> str | None:
        """The token in the request, if one of ours is in it."""
        secret = secret_from_header(_authorization(scope))
        return secret if secret and tokens.looks_right(secret) else None

    @staticmethod
    async def actor_of(connection: psycopg.AsyncConnection, secret: str, **context: str) -> Actor | None:
        """The actor behind a live token, or None."""
        row = await (await connection.execute(FIND_LIVE, [tokens.sha256_of(secret)])).fetchone()
        if row is None:
            return None
        if is_use_worth_noting(row):
            await connection.execute(NOTE_USE, [row[0]])
        return actor_of(row, **context)


def _authorization(scope: Any) -> str:
    """The header, if it was sent once: of two, another server might believe the other."""
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    return sent[0].decode("latin1") if len(sent) == 1 else ""


def require_reading(actor: Actor) -> None:
    """Any token meant for models may read what is its person's own."""
    if not any(actor.scope_allows(right) for right in READING):
        raise Refused(403, "This token's scope does not include tracking; it needs view, create or register.")


def require_writing(actor: Actor) -> None:
    """Logging runs needs the right to create, and a scope that means it."""
    if "create" not in actor.rights:
        raise Refused(
            403, "You may not log runs; it needs the right to create, which the role data-scientist has."
        )
    if not any(actor.scope_allows(right) for right in WRITING):
        raise Refused(403, "This token's scope does not include logging runs; it needs create or register.")
