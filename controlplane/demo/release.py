"""A version's way into production: train, ask, sign, roll out, and back again."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from controlplane.demo.cast import DATASET, ENVIRONMENT, MODEL, Cast
from controlplane.demo.data import run_pipeline
from controlplane.demo.doors import DoorError
from controlplane.demo.traffic import EVENT_TIME, Traffic

CARD = (
    "Will a flight from New York arrive more than 15 minutes late? Asked when the flight is scheduled, from "
    "carrier, route, hour, weekday and distance, and from version 2 on the weather. The weather observed in "
    "the hour of departure stands in for a forecast, so live results will be somewhat worse than these."
)
MEANING = "I reviewed the evidence and approve this release"
REASONS = {
    "reviewer": "The figures were computed on a hold-out that is stated, and every blocking gate passes.",
    "validator": "Data contracts hold and the digest is that of the bytes evaluated.",
}
ENDED = {"deployed", "failed", "pending", "rejected"}


def train(
    cast: Cast,
    title: str,
    features: str,
    months: list[str],
    holdout: str = "random",
    test_fraction: float = 0.2,
) -> int:
    """Train and register with the unchanged MLflow client; answers the version's number."""
    with cast.display.step(title) as step:
        parameters = {
            "dataset": DATASET,
            "versions": months,
            "model": MODEL,
            "features": features,
            "holdout": holdout,
            "test_fraction": test_fraction,
        }
        result = run_pipeline(cast, "flights-training", parameters, step)["result"]
        number = int(result["version"])
        cast.scientist.wait(
            f"models/{MODEL}/versions/{number}",
            lambda each: each["status"] != "PENDING_REGISTRATION",
            timeout=300,
        )
        auc, rows = result["metrics"]["holdout_roc_auc"], result["holdout_rows"]
        step.say(
            f"v{number}: ROC AUC {auc:.3f} on a {holdout.replace('_', '-')} hold-out of {rows:,} flights"
        )
    return number


def describe(cast: Cast) -> None:
    """Who answers for the model, and what its users must know."""
    cast.scientist.patch(f"models/{MODEL}", {"description": CARD, "on_call": "operator"})


def open_endpoint(cast: Cast) -> None:
    """Before anything is live, so that the first request's event times are the flights'."""
    cast.operator.post(
        "endpoints", {"model": MODEL, "environment": ENVIRONMENT, "event_time_column": EVENT_TIME}, 201
    )


def request(cast: Cast, number: int, why: str, known_limits: str = "") -> str:
    """Open the promotion request and wait for its evidence; answers its id."""
    with cast.display.step(
        f"Request promotion of v{number}; evaluate it in the sandbox and judge the gates"
    ) as step:
        asked = {"model": MODEL, "version": number, "environment": ENVIRONMENT, "why": why}
        opened = cast.scientist.post(
            "promotion-requests", {**asked, "known_limits": known_limits} if known_limits else asked, 201
        )
        judged = cast.scientist.wait(
            f"promotion-requests/{opened['id']}",
            lambda each: bool(each.get("evidence_sha256")),
            timeout=600,
        )
        step.say(_gates(judged["gates"]))
    return str(opened["id"])


def _gates(gates: list[dict[str, str]]) -> str:
    warned = [each["title"] for each in gates if each["outcome"] == "warned"]
    failed = [each["title"] for each in gates if each["outcome"] == "failed"]
    passed = len(gates) - len(warned) - len(failed)
    words = [f"{passed} of {len(gates)} gates pass"]
    words += [f"warned: {'; '.join(warned)}"] if warned else []
    words += [f"failed: {'; '.join(failed)}"] if failed else []
    return ", ".join(words)


def sign(cast: Cast, promotion: str) -> None:
    """Two different people in two roles sign on the review page."""
    for name, reason in REASONS.items():
        with cast.display.step(f"The {name} reads the review page and signs") as step:
            browser = cast.browser(name)
            page = browser.page(f"/approvals/{promotion}/")
            found = re.search(r'name="revision" value="(\d+)"', page)
            if not found:
                raise DoorError(f"The {name} is not offered a decision on the review page.")
            browser.submit(
                f"/approvals/{promotion}/decide/",
                decision="approve",
                reason=reason,
                meaning=MEANING,
                revision=found.group(1),
                password=cast.passwords[name],
            )
            step.say(f"revision {found.group(1)}")


def go_live(cast: Cast, title: str, promotion: str, traffic: Callable[[], int] | None = None) -> None:
    """The worker checks everything again, the agent loads the version, the alias moves.

    ``traffic`` sends a little and answers how many requests that was; it is called until the
    rollout has come to its end, since a canary is judged on what people ask of it.
    """
    with cast.display.step(title) as step:
        sent = 0

        def tell(each: dict[str, str]) -> None:
            nonlocal sent
            if traffic and each.get("deployment"):
                sent += traffic()
            step.say(f"{each['status']}, {sent:,} requests" if traffic else each["status"])

        done = cast.scientist.wait(
            f"promotion-requests/{promotion}", lambda each: each["status"] in ENDED, timeout=300, tell=tell
        )
        if done["status"] != "deployed":
            raise DoorError(f"The promotion is {done['status']}: {done.get('failure')}")
        step.say(_rollout(cast, done["deployment"], sent))


class Trickle:
    """Single requests, some at a time, as long as they are asked for; no flight twice."""

    AT_ONCE = 250

    def __init__(self, traffic: Traffic, flights: pl.DataFrame) -> None:
        self.traffic, self.flights, self.asked = traffic, flights, 0

    def __call__(self) -> int:
        part = self.flights[self.asked : self.asked + self.AT_ONCE]
        self.asked += part.height
        return self.traffic.ask_one_by_one(part) if part.height else 0


def _rollout(cast: Cast, deployment: str, sent: int) -> str:
    analysis = cast.scientist.get(f"deployments/{deployment}").get("analysis", {})
    finding = analysis.get("finding", "")
    return f"canary of {sent:,} requests: {finding}" if sent and finding else "live"
