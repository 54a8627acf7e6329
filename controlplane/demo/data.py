"""Data: the flights of 2013 by month, each checked against a contract."""

from __future__ import annotations

from typing import Any

from controlplane.demo.cast import DATASET, Cast
from controlplane.demo.display import Step
from controlplane.demo.doors import DoorError

MONTHS = list(range(1, 13))
CONTRACT = {
    "schema": "controlplane/contract/v1",
    "description": "Flights of one month from New York that arrived, with the weather at their origin.",
    "rows": {"min": 15000, "max": 40000},
    "columns": {
        "flight_id": {"type": "string"},
        "scheduled_at": {"type": "datetime"},
        "carrier": {"type": "string"},
        "origin": {"type": "string", "allowed": ["EWR", "JFK", "LGA"]},
        "dest": {"type": "string"},
        "hour": {"type": "integer", "min": 0, "max": 23},
        "distance": {"type": "number", "min": 0, "max": 6000},
        "temp": {"type": "number", "min": -30, "max": 120, "max_null_share": 0.05},
        "late": {"type": "integer", "min": 0, "max": 1},
    },
    "unique": [["flight_id"]],
}


def ingest(cast: Cast) -> None:
    """Twelve data set versions, and a contract that holds for each."""
    with cast.display.step("Ingest 336,776 flights of 2013 by month, with the weather of their hour") as step:
        run = run_pipeline(cast, "flights-ingest", {"dataset": DATASET, "months": MONTHS}, step)
        step.say(f"{len(run['result']['versions'])} data set versions")
    with cast.display.step("Check every month against the data contract") as step:
        cast.scientist.put(
            f"datasets/{DATASET}/contract", {"document": CONTRACT, "reason": "What the models rely on."}
        )
        checks = cast.scientist.wait(
            f"datasets/{DATASET}/checks?limit=200",
            lambda page: len(page["items"]) >= len(MONTHS),
            timeout=300,
        )["items"]
        held = sum(each["status"] == "passed" for each in checks)
        step.say(f"{held} of {len(checks)} hold")


def run_pipeline(cast: Cast, name: str, parameters: dict[str, Any], step: Step) -> dict[str, Any]:
    """Start a run and wait for its end; a failed one ends the story with its reason."""
    started = cast.scientist.post(f"pipelines/{name}/runs", {"parameters": parameters}, 202)

    def tell(run: dict[str, Any]) -> None:
        progress = run.get("progress")
        step.say(str(progress.get("step") if isinstance(progress, dict) else run["status"]))

    run: dict[str, Any] = cast.scientist.wait(
        f"pipelines/{name}/runs/{started['id']}",
        lambda each: each["status"] in {"succeeded", "failed", "cancelled"},
        timeout=600,
        tell=tell,
    )
    if run["status"] != "succeeded":
        raise DoorError(f"The run of {name} {run['status']}: {run.get('failure')}")
    return run
