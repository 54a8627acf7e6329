"""The tracking server's errors as people may read them: MLflow's form, and never its database's words."""

from __future__ import annotations

import json
import logging
import re

from controlplane.edge.answers import CODES, Exchange, Refused

log = logging.getLogger(__name__)

SQL = re.compile(r"\[SQL: |\bpsycopg\.|\bsqlalchemy\.|\(Background on this error|\bSql[A-Z]\w+' has no")
CLASS = re.compile(r"psycopg\.errors\.(\w+)|sqlalchemy\.exc\.(\w+)")
STATEMENT = re.compile(r"\[SQL: (.{1,400})", re.DOTALL)
# Worth another try; the rest is about the values that were sent.
PASSING = {
    "AdminShutdown",
    "ConnectionTimeout",
    "CrashShutdown",
    "DeadlockDetected",
    "LockNotAvailable",
    "OperationalError",
    "QueryCanceled",
    "SerializationFailure",
    "TimeoutError",
    "TooManyConnections",
}
WORDS = {
    400: "The call holds a value that cannot be used.",
    404: "There is nothing of this name.",
    500: "This failed on our side; the logs know why.",
    503: "The database does not answer; try again in a few seconds.",
}


def in_our_words(exchange: Exchange, status: int, body: bytes) -> Refused | None:
    """What is answered instead, or None when the error is fit to be read."""
    text = body.decode("utf-8", "replace")
    is_sql, is_mlflows = SQL.search(text) is not None, _is_mlflows(body)
    if is_mlflows and not is_sql and (status < 500 or status in {501, 503}):
        return None
    refused = _of_database(text) if is_sql else _by_status(status)
    if is_sql or status >= 500:
        path, number = exchange.scope["path"][:200], exchange.request_id
        log.warning(
            "tracking answered %d to %s (request %s): %s", status, path, number, _without_values(text)
        )
        refused = Refused(refused.status, f"{refused.message} (request {number})", refused.code)
    return refused


def _is_mlflows(body: bytes) -> bool:
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and {"error_code", "message"} <= said.keys()


def _of_database(text: str) -> Refused:
    name = _class_of(text)
    if name == "UniqueViolation":
        return Refused(400, "It exists already.", "RESOURCE_ALREADY_EXISTS")
    if name in PASSING:
        return Refused(503, WORDS[503])
    return Refused(400, WORDS[400], "BAD_REQUEST")


def _by_status(status: int) -> Refused:
    known = status if status in CODES else 500 if status >= 500 else 400
    return Refused(known, WORDS.get(known, "This was refused."))


def _class_of(text: str) -> str:
    found = CLASS.search(text)
    return (found[1] or found[2]) if found else ""


def _without_values(text: str) -> str:
    """The kind of error and the statement, which names its values' places only."""
    statement = STATEMENT.search(text)
    return (
        f"{_class_of(text)} {' '.join(statement[1].partition('[parameters')[0].split()) if statement else ''}"
    )
