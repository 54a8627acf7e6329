"""What paths and refusals call things: whose folder a path is in, and what is not there."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, parse_qsl

from controlplane.edge import calls
from controlplane.edge.answers import Exchange, Refused
from controlplane.tracking_endpoints import API, REGISTRY, WEBHOOKS

# Copies of registered versions; web serves them from the digest store.
VERSIONS = "versions/"


def query(scope: Any) -> dict[str, Any]:
    """A query's values; a repeated name is a list, and camel case is no other spelling here."""
    found: dict[str, Any] = {}
    try:
        pairs = parse_qsl(
            scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=1000,
        )
    except (ValueError, UnicodeDecodeError):
        raise Refused(400, "The query is not percent-encoded UTF-8.") from None
    for name, value in pairs:
        name = "run_id" if name == "run_uuid" else name
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        elif found[name] != value:
            if not name.endswith("s") and name != "order_by":
                raise Refused(400, f"{name[:100]} is given twice.")
            found[name] = [found[name], value]
    calls.check(found, "query")
    return found


def owner_of(parts: list[str]) -> tuple[str, str]:
    """The run, logged model or trace whose folder a path is in."""
    if len(parts) >= 4 and parts[1] == "traces" and parts[3] == "artifacts":
        return "trace", calls.checked_id("trace", parts[2])
    if len(parts) >= 3 and parts[1] != "models" and parts[2] == "artifacts":
        return "run", parts[1]
    if len(parts) >= 4 and parts[1] == "models" and parts[3] == "artifacts":
        return "model", parts[2]
    raise Refused(404, "Artifacts are in the folder of a run or a logged model; this path is in none.")


def unnamed(name: str) -> Refused:
    return Refused(404, f"Could not find experiment with name '{name}'")


def unknown(kind: str, name: str) -> Refused:
    if kind == "experiment":
        return Refused(404, f"No Experiment with id={name} exists")
    if kind == "run":
        return Refused(404, f"Run with id={name} not found")
    return Refused(404, f"{'Trace' if kind == 'trace' else 'Logged model'} with ID '{name}' not found.")


def word(kind: str) -> str:
    return "logged model" if kind == "model" else kind


def is_helper(name: str, exchange: Exchange) -> bool:
    """``experiment_id`` was only put in to decide on a name."""
    return name == "experiment_id" and exchange.scope["path"].endswith("/get-by-name")


def is_webs(scope: Any) -> bool:
    """The registry's own calls, webhooks, and the files of registered versions."""
    parts = API.match(scope["path"])
    assert parts is not None
    if parts[2] == "mlflow":
        return parts[3].startswith(REGISTRY) or parts[3].split("/")[0] == WEBHOOKS
    if parts[3] == "artifacts":
        return parse_qs(scope["query_string"].decode("latin1")).get("path", [""])[0].startswith(VERSIONS)
    return parts[3].startswith(f"artifacts/{VERSIONS}")
