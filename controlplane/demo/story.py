"""The true story, played through the public doors: REST, page forms, the gateway, the MLflow client."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from controlplane.demo.display import Display
from controlplane.demo.doors import Browser, DoorError, Gateway, Rest
from pipelines.compute.flights import flights

MODEL, DATASET = "flight-delay", "flights"
TRAINING = ["2013-01", "2013-02", "2013-03"]
MONTHS = list(range(1, 13))
MEANING = "I reviewed the evidence and approve this release"
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
REASONS = {
    "reviewer": "The figures were computed on a hold-out that is stated, and every blocking gate passes.",
    "validator": "Data contracts hold and the digest is that of the bytes evaluated.",
}


@dataclass
class Story:
    """Who plays, and where."""

    address: str
    gateway_address: str
    tokens: dict[str, str]
    passwords: dict[str, str]
    display: Display

    def __post_init__(self) -> None:
        self.scientist = Rest(self.address, self.tokens["scientist"])
        self.operator = Rest(self.address, self.tokens["operator"])
        self.gateway = Gateway(self.gateway_address, self.tokens["scientist"])
        self.browsers: dict[str, Browser] = {}

    def browser(self, name: str) -> Browser:
        """A person's session, signed in once."""
        if name not in self.browsers:
            self.browsers[name] = Browser(self.address, name, self.passwords[name])
        return self.browsers[name]

    def play(self) -> None:
        """Everything, in order."""
        self.display.chapter("Data")
        self.ingest()
        self.display.chapter("Version 1: what the schedule tells")
        number = self.train("schedule")
        request = self.ask(
            number, "First release: it knows the schedule alone, and makes no claim about weather."
        )
        self.sign(request)
        self.await_live(request)
        self.predict(number)

    # --- data ---------------------------------------------------------------------------

    def ingest(self) -> None:
        with self.display.step(
            "Ingest 336,776 flights of 2013 by month, with the weather of their hour"
        ) as step:
            run = self.run_pipeline("flights-ingest", {"dataset": DATASET, "months": MONTHS}, step)
            step.say(f"{len(run['result']['versions'])} data set versions")
        with self.display.step("Check every month against the data contract") as step:
            current = self.scientist.http.get(f"datasets/{DATASET}/contract")
            headers = {"If-Match": current.headers.get("ETag", "*")}
            answer = self.scientist.http.put(
                f"datasets/{DATASET}/contract",
                json={"document": CONTRACT, "reason": "What the models rely on."},
                headers=headers,
            )
            if not answer.is_success:
                raise DoorError(f"The contract was refused: {answer.text[:400]}")
            checks = self.scientist.wait(
                f"datasets/{DATASET}/checks?limit=200",
                lambda page: len(page["items"]) >= len(MONTHS),
                timeout=300,
            )["items"]
            failed = [each for each in checks if each["status"] != "passed"]
            step.say(f"{len(checks) - len(failed)} of {len(checks)} hold")

    def run_pipeline(self, name: str, parameters: dict[str, Any], step: Any) -> dict[str, Any]:
        """Start a run and wait for its end; a failed one ends the story with its reason."""
        started = self.scientist.post(f"pipelines/{name}/runs", {"parameters": parameters}, 202)

        def tell(run: dict[str, Any]) -> None:
            step.say(
                str(
                    run.get("progress", {}).get("step")
                    if isinstance(run.get("progress"), dict)
                    else run["status"]
                )
            )

        run: dict[str, Any] = self.scientist.wait(
            f"pipelines/{name}/runs/{started['id']}",
            lambda each: each["status"] in {"succeeded", "failed", "cancelled"},
            timeout=600,
            tell=tell,
        )
        if run["status"] != "succeeded":
            raise DoorError(f"The run of {name} {run['status']}: {run.get('failure')}")
        return run

    # --- a version's way into production ----------------------------------------------------

    def train(self, features: str) -> int:
        """Train and register with the unchanged MLflow client; answers the version's number."""
        with self.display.step(
            f"Train on January to March with the {features}, register with the MLflow client"
        ) as step:
            run = self.run_pipeline(
                "flights-training",
                {
                    "dataset": DATASET,
                    "versions": TRAINING,
                    "model": MODEL,
                    "features": features,
                    "holdout": "random",
                },
                step,
            )
            number = int(run["result"]["version"])
            self.scientist.wait(
                f"models/{MODEL}/versions/{number}",
                lambda each: each["status"] != "PENDING_REGISTRATION",
                timeout=300,
            )
            auc = run["result"]["metrics"]["holdout_roc_auc"]
            step.say(
                f"v{number}: ROC AUC {auc:.3f} on a random hold-out of {run['result']['holdout_rows']:,} flights"
            )
        return number

    def ask(self, number: int, why: str) -> str:
        """Open the promotion request and wait for its evidence; answers its id."""
        with self.display.step(
            f"Request promotion of v{number}; evaluate it in the sandbox and judge the gates"
        ) as step:
            opened = self.scientist.post(
                "promotion-requests",
                {"model": MODEL, "version": number, "environment": "production", "why": why},
                201,
            )
            page = self.browser("reviewer")
            identifier = str(opened["id"])
            self.scientist.wait(
                f"promotion-requests/{identifier}",
                lambda each: bool(each.get("evidence_sha256")),
                timeout=600,
            )
            shown = page.page(f"/approvals/{identifier}/")
            warned = len(re.findall(r'class="gate warn"', shown))
            failed = len(re.findall(r'class="gate bad"', shown))
            step.say(f"{warned} warnings, {failed} failures")
        return identifier

    def sign(self, request: str) -> None:
        """Two different people in two roles sign on the review page."""
        for name, reason in REASONS.items():
            with self.display.step(f"The {name} reads the review page and signs") as step:
                browser = self.browser(name)
                page = browser.page(f"/approvals/{request}/")
                found = re.search(r'name="revision" value="(\d+)"', page)
                if not found:
                    raise DoorError(f"The {name} is not offered a decision on the review page.")
                browser.submit(
                    f"/approvals/{request}/decide/",
                    decision="approve",
                    reason=reason,
                    meaning=MEANING,
                    revision=found.group(1),
                    password=self.passwords[name],
                )
                step.say(f"revision {found.group(1)}")

    def await_live(self, request: str) -> None:
        """The worker checks everything again, the agent loads the version, the alias moves."""
        with self.display.step("Seal the signatures, check again, deploy") as step:
            done = self.scientist.wait(
                f"promotion-requests/{request}",
                lambda each: each["status"] in {"deployed", "failed", "pending", "rejected"},
                timeout=300,
                tell=lambda each: step.say(each["status"]),
            )
            if done["status"] != "deployed":
                raise DoorError(f"The promotion is {done['status']}: {done.get('failure')}")

    # --- traffic --------------------------------------------------------------------------

    def predict(self, number: int) -> None:
        """The flights of 31 March, hour by hour, through the stable address."""
        with self.display.step("Predict the flights of 31 March through the gateway") as step:
            table = flights().filter((pl.col("month") == 3) & (pl.col("scheduled_at").dt.day() == 31))
            columns = ["carrier", "origin", "dest", "hour", "minute", "weekday", "distance"]
            rows = 0
            for (hour,), part in table.group_by("hour", maintain_order=True):
                body = {"dataframe_split": {"columns": columns, "data": part.select(columns).rows()}}
                answer = self.gateway.predict(
                    "production",
                    MODEL,
                    body,
                    **{"X-Event-Time": f"2013-03-31T{int(str(hour)):02d}:00:00-04:00"},
                )
                rows += len(answer.json()["predictions"])
                if answer.headers["X-Model-Version"] != str(number):
                    raise DoorError(f"Version {answer.headers['X-Model-Version']} answered, not {number}.")
            step.say(f"{rows:,} predictions by v{number}, each with an id that a label will name")


def played_mark(data_dir: Path) -> Path:
    """Set when the story has come to its end: a second start does not replay it."""
    return data_dir / "run" / "story_played"
