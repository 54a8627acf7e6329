"""The registry reads clients make all day, answered here instead of by web.

Only what is certain is answered: a live token that may view, arguments in their plain spelling,
and a row that exists and may be seen. Everything else, each refusal included, is web's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import psycopg
from cachetools import LRUCache
from psycopg_pool import PoolTimeout

from accounts import tokens
from accounts.token_lookup import FIND_LIVE, FIND_LIVE_AND, NOTE_USE, actor_of, is_use_worth_noting
from controlplane.edge.answers import Exchange
from controlplane.edge.identity import Identity
from core.actors import Actor
from mlflow_api import statements
from mlflow_api.statements import ALL_STAGES, Statement

Question = Callable[[Actor], Statement]
ADDRESS = re.compile(r"/(?:ajax-)?api/2\.0/mlflow/(?P<door>[a-z-]+/[a-z-]+)")
# Stored as they are written: no form to be normalised, nothing to be refused.
NAME = re.compile(r"[!-.0-9;-~]{1,256}")
ALIAS = re.compile(r"[A-Za-z0-9_-]{1,255}")
NUMBER = re.compile(r"[0-9]{1,9}")
LARGEST_BODY = 4096


def may_be_read_here(scope: Any) -> bool:
    """Whether the method and the path are of one of these reads."""
    found = ADDRESS.fullmatch(scope["path"])
    return found is not None and (scope["method"], found["door"]) in QUESTIONS


class Reads:
    """Answers a read from the database web would ask, in the same words."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.met: LRUCache[str, tuple[tuple[Any, ...], Actor]] = LRUCache(1024)

    async def answer(self, exchange: Exchange, content: bytes) -> bool:
        """Answer the request; False when it is web's after all."""
        question = question_of(exchange.scope, content)
        secret = self.identity.secret_of(exchange.scope)
        if question is None or secret is None:
            return False
        try:
            async with self.identity.pool.connection() as connection:
                actor, text = await self._asked(connection, tokens.sha256_of(secret), question)
        except (psycopg.Error, PoolTimeout):
            return False
        if actor is None or text is None:
            return False
        exchange.who, exchange.account_id = actor.account_name, str(actor.account_id)
        await exchange.answer(200, text.encode(), "application/json")
        return True

    async def _asked(
        self, connection: psycopg.AsyncConnection[Any], key: str, question: Question
    ) -> tuple[Actor | None, str | None]:
        """The actor behind a live token and the answer for them: in one statement once a token was met.

        Who it was then only puts the statement together. The statement reads the token anew, and where
        anything about it has changed since, its answer is not looked at.
        """
        who, actor = self.met.get(key, (None, None))
        if actor is not None:
            sql, bound = question(actor)
            found = FIND_LIVE_AND.replace("{statement}", sql)
            row = await (await connection.execute(found, [*bound, key])).fetchone()
            if row is not None and row[:-2] == who:
                await self._note_use(connection, row[:-1])
                return actor, row[-1]
            self.met.pop(key, None)
        row = await (await connection.execute(FIND_LIVE, [key])).fetchone()
        actor = actor_of(row) if row is not None else None
        if row is None or actor is None or not actor.scope_allows("view"):
            return None, None
        self.met[key] = row[:-1], actor
        await self._note_use(connection, row)
        answered = await (await connection.execute(*question(actor))).fetchone()
        return actor, answered[0] if answered else None

    @staticmethod
    async def _note_use(connection: psycopg.AsyncConnection[Any], row: tuple[Any, ...]) -> None:
        if is_use_worth_noting(row):
            await connection.execute(NOTE_USE, [row[0]])


def question_of(scope: Any, content: bytes) -> Question | None:
    """What is asked, if it is said as plainly as MLflow's clients say it."""
    door = scope["path"].partition("/mlflow/")[2]
    sent = _query(scope["query_string"]) if scope["method"] == "GET" else _body(content)
    name = (sent or {}).get("name")
    if sent is None or not isinstance(name, str) or not NAME.fullmatch(name):
        return None
    return QUESTIONS[scope["method"], door](sent)


def _query(raw: bytes) -> Mapping[str, Any] | None:
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=4)
    except ValueError:
        return None
    return _each_once(pairs)


def _body(content: bytes) -> Mapping[str, Any] | None:
    try:
        sent = json.loads(content, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return None
    return _each_once(sent) if isinstance(sent, tuple) else None


def _each_once(pairs: Any) -> Mapping[str, Any] | None:
    found = dict(pairs)
    return found if len(found) == len(pairs) else None


def _model(sent: Mapping[str, Any]) -> Question | None:
    if sent.keys() != {"name"}:
        return None
    return lambda actor: statements.model(actor, sent["name"])


def _version(sent: Mapping[str, Any]) -> Question | None:
    if sent.keys() != {"name", "version"} or not NUMBER.fullmatch(sent["version"]):
        return None
    return lambda actor: statements.version(actor, sent["name"], int(sent["version"]))


def _alias(sent: Mapping[str, Any]) -> Question | None:
    if sent.keys() != {"name", "alias"} or not ALIAS.fullmatch(sent["alias"]):
        return None
    return lambda actor: statements.aliased(actor, sent["name"], sent["alias"])


def _latest(sent: Mapping[str, Any]) -> Question | None:
    asked = sent.get("stages", [])
    if not sent.keys() <= {"name", "stages"} or not isinstance(asked, list):
        return None
    stages = asked or ALL_STAGES
    if not all(each in ALL_STAGES for each in stages) or len(set(stages)) < len(stages):
        return None
    return lambda actor: statements.latest(actor, sent["name"], stages)


QUESTIONS: dict[tuple[str, str], Callable[[Mapping[str, Any]], Question | None]] = {
    ("GET", "registered-models/get"): _model,
    ("GET", "model-versions/get"): _version,
    ("GET", "registered-models/alias"): _alias,
    ("POST", "registered-models/get-latest-versions"): _latest,
}
