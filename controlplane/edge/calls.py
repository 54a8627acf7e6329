"""A tracking call taken apart: what it names, and what edge puts into it.

MLflow accepts several spellings of one field (``run_uuid``, ``runId``, JSON inside a JSON
string). Edge reads them all, refuses contradictions, and forwards one spelling only, so that
both sides always speak of the same things.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from controlplane.edge.answers import Refused

OWNER = "controlplane.owner"
DEEPEST = 64
KIND_OF = {
    "run_id": "run",
    "run_uuid": "run",
    "source_run_id": "run",
    "run_ids": "run",
    "model_id": "model",
    "model_ids": "model",
    "experiment_id": "experiment",
    "experiment_ids": "experiment",
    "trace_id": "trace",
    "request_id": "trace",
    "request_ids": "trace",
}
# Objects whose names are somebody's own words and not MLflow's fields.
MAPS = frozenset({"tags", "trace_metadata", "request_metadata", "metadata", "value"})
EXPERIMENT_ID = re.compile(r"^[0-9]{1,18}\Z")
TRACE_ID = re.compile(r"^[\w.:-]{1,50}\Z", re.ASCII)
CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")


@dataclass
class Named:
    """The ids a call names; ``read`` are those it only refers to."""

    write: set[tuple[str, str]] = field(default_factory=set)
    read: set[tuple[str, str]] = field(default_factory=set)

    def all(self) -> set[tuple[str, str]]:
        return self.write | self.read


def parsed(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body with snake-case names, or Refused with the field at fault."""
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw, object_pairs_hook=_unique)
        if isinstance(value, str):  # old clients send JSON inside a JSON string
            value = json.loads(value, object_pairs_hook=_unique)
    except RecursionError:
        raise Refused(400, "The body is nested too deeply.", "BAD_REQUEST") from None
    except ValueError as error:
        raise Refused(400, f"The body is not JSON: {str(error)[:200]}", "BAD_REQUEST") from None
    if not isinstance(value, dict):
        raise Refused(400, "The body must be a JSON object.", "BAD_REQUEST")
    check(value, "body")
    return value


def parsed_exactly(raw: bytes) -> dict[str, Any]:
    """The same with every name as it was sent: traces carry objects of their makers' own names.

    MLflow's own fields may then be spelled one way only, so that both sides read the same.
    """
    try:
        value = json.loads(raw or b"{}", object_pairs_hook=_once)
    except RecursionError:
        raise Refused(400, "The body is nested too deeply.", "BAD_REQUEST") from None
    except ValueError as error:
        raise Refused(400, f"The body is not JSON: {str(error)[:200]}", "BAD_REQUEST") from None
    if not isinstance(value, dict):
        raise Refused(400, "The body must be a JSON object.", "BAD_REQUEST")
    check(value, "body")
    _refuse_other_spellings(value)
    return value


def trace_of(body: dict[str, Any]) -> tuple[dict[str, Any], str, str]:
    """What a call that creates a trace says of it, its id, and the experiment it goes into."""
    info: Any = body
    for name in ("trace", "trace_info"):
        info = info.get(name) if isinstance(info, dict) else None
    place: Any = info
    for name in ("trace_location", "mlflow_experiment"):
        place = place.get(name) if isinstance(place, dict) else None
    if not isinstance(info, dict) or not isinstance(place, dict):
        raise Refused(400, "trace.trace_info.trace_location must name an experiment.")
    if not isinstance(info.get("tags", {}), dict):
        raise Refused(400, "trace.trace_info.tags must be an object.")
    trace_id = checked_id("trace", info.get("trace_id"))
    return info, trace_id, checked_id("experiment", place.get("experiment_id"))


def check(value: Any, path: str, depth: int = 0) -> None:
    """Refuse what the database cannot hold, naming where it is."""
    if depth > DEEPEST:
        raise Refused(400, f"{path[:200]} is nested deeper than {DEEPEST} levels.")
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= each <= "\udfff" for each in value):
            raise Refused(400, f"{path[:200]} holds U+0000 or a lone surrogate, which cannot be stored.")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Refused(400, f"{path[:200]} is {json.dumps(value)}, which is no JSON number.")
    elif isinstance(value, int):
        if abs(value) >= 2**63:
            raise Refused(400, f"{path[:200]} is too large; at most 2^63 - 1 is allowed.")
    elif isinstance(value, dict):
        for key, item in value.items():
            check(key, f"{path} key", depth + 1)
            check(item, f"{path}.{key}", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check(item, f"{path}[{index}]", depth + 1)


def named(body: dict[str, Any], *, skip: frozenset[str] = frozenset()) -> Named:
    """Every id in a body or query, however deep; below ``models`` they are only referred to."""
    found = Named()
    for kind, value, is_reference in _walk(body, skip, False):
        (found.read if is_reference else found.write).add((kind, checked_id(kind, value)))
    return found


def checked_id(kind: str, value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or len(text) > 250:
        raise Refused(400, f"{kind}_id must be text.")
    if kind == "experiment" and not EXPERIMENT_ID.match(text):
        raise Refused(400, "experiment_id must be a number of 1 to 18 digits.")
    if kind == "trace" and not TRACE_ID.match(text):
        raise Refused(400, "trace_id must be 1 to 50 letters, digits, '_', '.', ':' or '-'.")
    return text


def check_page_token(content: dict[str, Any]) -> None:
    """A token is base64 of a JSON object with an offset; MLflow fails on what is none."""
    sent = content.get("page_token")
    if sent is None or sent == "":
        return
    try:
        offset = json.loads(base64.b64decode(sent, validate=True))["offset"]
    except (ValueError, TypeError, KeyError, RecursionError):
        offset = None
    if type(offset) is not int or not 0 <= offset < 2**62:
        raise Refused(400, "page_token must be the next_page_token of an answer.")


def refuse_reserved(body: Any) -> None:
    """Ownership is edge's word; nobody sets or deletes its tag."""
    if isinstance(body, dict):
        if OWNER in body or OWNER in (body.get("key"), body.get("tag_key")):
            raise Refused(400, f"The tag {OWNER} is reserved: it says whose this is.")
        for value in body.values():
            refuse_reserved(value)
    elif isinstance(body, list):
        for value in body:
            refuse_reserved(value)


def mark_owner(body: dict[str, Any], person_id: str) -> None:
    """Write who creates this into its tags."""
    tags = body.setdefault("tags", [])
    if not isinstance(tags, list):
        raise Refused(400, "tags must be a list of {key, value}.")
    tags.append({"key": OWNER, "value": person_id})


def narrow(body: dict[str, Any], person_id: str) -> None:
    """Let a search find only what this person created.

    MLflow's filters know AND alone, and this condition comes first, so nothing after it can
    widen the answer.
    """
    own = f"tags.`{OWNER}` = '{person_id}'"
    theirs = body.get("filter")
    if theirs is not None and not isinstance(theirs, str):
        raise Refused(400, "filter must be text.")
    body["filter"] = f"{own} AND {theirs}" if theirs and theirs.strip() else own


def _walk(value: Any, skip: frozenset[str], is_reference: bool) -> Iterator[tuple[str, Any, bool]]:
    if isinstance(value, list):
        for each in value:
            yield from _walk(each, skip, is_reference)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        kind = KIND_OF.get(key)
        if kind is None:
            yield from _walk(item, skip, is_reference or key == "models")
        elif key not in skip:
            for each in item if isinstance(item, list) else [item]:
                if each not in (None, ""):
                    yield kind, each, is_reference


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Names in snake case; two values for one field are a contradiction."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        name = CAPITAL.sub(lambda letter: "_" + letter[1].lower(), key)
        name = "run_id" if name == "run_uuid" else name
        if name in found and found[name] != value:
            raise ValueError(f"the field {name[:100]!r} is given twice")
        found[name] = value
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field is given twice")
    return found


def _refuse_other_spellings(value: Any) -> None:
    if isinstance(value, list):
        for each in value:
            _refuse_other_spellings(each)
    elif isinstance(value, dict):
        for key, item in value.items():
            if CAPITAL.search(key):
                raise Refused(400, f"Spell {key[:100]} in snake case.")
            if key not in MAPS:
                _refuse_other_spellings(item)
