"""What MLflow's app cannot read is a refusal that names the field, and not a failure without words.

Its checks of a call stumble over values of unexpected kinds (a list where a number is due), and its
search of logged models takes any attribute of its Python classes for a column.
"""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

log = logging.getLogger(__name__)

READING = frozenset({"_get_request_message", "from_proto"})
LOGGING_A_MODEL = "_log_model"
CHECKING = "_validate_param_against_schema"
# A file is to be where the store cannot have one.
UNUSABLE_PATHS = {
    errno.EISDIR: "is a folder of artifacts, not a file",
    errno.ENOTDIR: "lies beneath a file, which is no folder",
    errno.EEXIST: "lies beneath a file, which is no folder",
    errno.ENAMETOOLONG: "has a part that is too long for a file's name",
}
CODES = {400: "BAD_REQUEST", 404: "ENDPOINT_NOT_FOUND", 405: "ENDPOINT_NOT_FOUND", 500: "INTERNAL_ERROR"}
# Of a logged model, beside its metrics, parameters and tags; the others are no text and no time.
ATTRIBUTES = (
    "name",
    "model_id",
    "model_type",
    "source_run_id",
    "creation_time",
    "creation_timestamp",
    "creation_timestamp_ms",
    "last_updated_timestamp",
    "last_updated_timestamp_ms",
)


def answer(error: Exception) -> tuple[str, int, dict[str, str]]:
    """Flask's handler of what nothing else caught."""
    status = getattr(error, "code", None)
    if isinstance(status, int) and 400 <= status < 500:  # one of Werkzeug's refusals
        return _answer(status, HTTPStatus(status).phrase)
    if isinstance(error, OSError) and error.errno in UNUSABLE_PATHS:
        return _answer(400, f"path {UNUSABLE_PATHS[error.errno]}.")
    frames = _frames(error)
    if READING & frames.keys():
        field = frames.get(CHECKING, {}).get("param", "The body")
        return _answer(400, f"{str(field)[:100]} holds a value of a kind that is not allowed there.")
    if list(frames)[-1:] == [LOGGING_A_MODEL]:
        return _answer(400, "model_json holds no description of a model; allowed is a JSON object.")
    log.error("a call failed", exc_info=error)
    return _answer(500, "This failed on our side; the logs know why.")


def _frames(error: Exception) -> dict[str, dict[str, Any]]:
    """The functions in which it happened, each with its local names."""
    found, step = {}, error.__traceback__
    while step is not None:
        found[step.tb_frame.f_code.co_name] = step.tb_frame.f_locals
        step = step.tb_next
    return found


def _answer(status: int, message: str) -> tuple[str, int, dict[str, str]]:
    body = {"error_code": CODES.get(status, "BAD_REQUEST"), "message": message}
    return json.dumps(body), status, {"Content-Type": "application/json"}


def whole_traces(parse: Callable[..., Any]) -> Callable[..., Any]:
    """MLflow goes on with what it could read of a call, and a half-read trace then fails in its store."""
    from google.protobuf.json_format import ParseError  # noqa: PLC0415 - comes with MLflow

    @wraps(parse)
    def parsed(values: Any, message: Any) -> Any:
        try:
            return parse(values, message)
        except ParseError as error:
            if "Trace" in message.DESCRIPTOR.name or "Assessment" in message.DESCRIPTOR.name:
                raise _invalid("The body", str(error)[:300], "what MLflow's traces hold") from error
            raise

    return parsed


def with_known_attributes(search: Callable[..., Any]) -> Callable[..., Any]:
    """The store's search of logged models, asked only by what it can compare."""
    from mlflow.utils.search_logged_model_utils import EntityType, parse_filter_string  # noqa: PLC0415

    @wraps(search)
    def checked(*arguments: Any, **named: Any) -> Any:
        try:
            comparisons = parse_filter_string(named.get("filter_string"))
        except (ValueError, SyntaxError, TypeError) as error:
            raise _invalid(
                "filter", "holds a value that cannot be compared", "a number or quoted text"
            ) from error
        for each in comparisons:
            if each.entity.type == EntityType.ATTRIBUTE:
                _check("filter", each.entity.key)
        for each in named.get("order_by") or ():
            if "." not in each["field_name"]:
                _check("order_by", each["field_name"])
        return search(*arguments, **named)

    return checked


def _check(field: str, attribute: str) -> None:
    if attribute not in ATTRIBUTES:
        allowed = ", ".join(ATTRIBUTES)
        raise _invalid(
            field, f"names the attribute {attribute[:100]!r}", f"{allowed}, metrics.…, params.… and tags.…"
        )


def _invalid(field: str, why: str, allowed: str) -> Exception:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - MLflow is imported when the server starts

    error: Exception = MlflowException.invalid_parameter_value(f"{field} {why}; allowed: {allowed}.")
    return error
