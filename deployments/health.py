"""The check between loaded and trusted with traffic."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from deployments.folders import scorer_folder
from deployments.models import Deployment
from deployments.serving.payload import parse
from deployments.serving.refusal import Refusal
from deployments.serving.schema import schema_from
from deployments.supervised import Supervised

EXAMPLE = "serving_input_example.json"
SECONDS = 20.0


@dataclass(frozen=True)
class Health:
    """Whether a scorer may be given traffic, in words."""

    is_healthy: bool
    finding: str


def health_check(supervised: Supervised, row: Deployment) -> Health:
    """The model answers the example its author saved with it, as the gateway would ask."""
    example = scorer_folder(row.pk) / "model" / EXAMPLE
    if not example.is_file():
        return Health(True, "The scorer answers. The version carries no input example to try.")
    schema = schema_from(row.version.signature)
    try:
        checked = schema.check(parse(example.read_bytes(), "application/json", schema.names))
    except Refusal as refusal:
        return Health(
            True, f"The scorer answers. Its own example does not fit its signature: {refusal.detail}"
        )
    started = time.monotonic()
    body = json.dumps({"inputs": checked.columns}).encode()
    status, answer = supervised.request("POST", "/invocations", body, timeout=SECONDS)
    took_ms = 1000 * (time.monotonic() - started)
    if status != 200:
        return Health(False, f"The model fails on its own example: {answer.decode(errors='replace')[:500]}")
    return Health(True, f"Answered its own example of {checked.rows} rows in {took_ms:.0f} ms.")
