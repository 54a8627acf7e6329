"""A rollout's steps, and what a step's traffic says about going on. No Django, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.errors import Invalid
from deployments.serving.traffic import quantile_ms

ALL_AT_ONCE: dict[str, Any] = {"steps": [{"weight": 100}]}
MOST_STEPS = 10
DEFAULT_WITHIN_SECONDS = 900
WHEN_INCONCLUSIVE = ("pause", "continue", "abort")
STEP_KEYS = {"weight", "analyse", "hold_seconds"}
ANALYSE_KEYS = {"max_error_rate", "p95_ms", "min_requests", "on_inconclusive", "within_seconds"}


class Outcome(StrEnum):
    """What to do after looking at a step."""

    WAIT = "wait"
    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Totals:
    """What a deployment answered during one step; ``refused`` were the callers' own errors."""

    requests: int = 0
    refused: int = 0
    errors: int = 0
    rows: int = 0
    latency: dict[int, int] = field(default_factory=dict)

    @property
    def judged(self) -> int:
        return self.requests - self.refused

    @property
    def error_rate(self) -> float | None:
        return self.errors / self.judged if self.judged else None


@dataclass(frozen=True)
class Verdict:
    """An outcome, and the sentence and figures people read."""

    outcome: Outcome
    finding: str
    figures: dict[str, Any]


def checked_rollout(rollout: Mapping[str, Any] | None) -> dict[str, Any]:
    """A rollout as it is stored, or Invalid naming the field."""
    if rollout is None:
        return dict(ALL_AT_ONCE)
    _only(rollout, {"steps", "shadow_former"}, "rollout")
    steps = rollout.get("steps")
    if not isinstance(steps, list) or not 1 <= len(steps) <= MOST_STEPS:
        raise Invalid(f"rollout.steps must be a list of 1 to {MOST_STEPS} steps.", field="rollout.steps")
    checked = [_checked_step(step, f"rollout.steps[{index}]") for index, step in enumerate(steps)]
    weights = [step["weight"] for step in checked]
    if weights != sorted(set(weights)) or weights[-1] != 100:
        raise Invalid("The weights of rollout.steps must grow and end at 100.", field="rollout.steps")
    shadow = rollout.get("shadow_former", False)
    if not isinstance(shadow, bool):
        raise Invalid("rollout.shadow_former must be true or false.", field="rollout.shadow_former")
    return {"steps": checked, **({"shadow_former": True} if shadow else {})}


def _checked_step(step: Any, where: str) -> dict[str, Any]:
    _only(step, STEP_KEYS, where)
    checked: dict[str, Any] = {"weight": _number(step.get("weight"), f"{where}.weight", 1, 100, whole=True)}
    if "hold_seconds" in step:
        checked["hold_seconds"] = _number(
            step["hold_seconds"], f"{where}.hold_seconds", 0, 604_800, whole=True
        )
    if (analyse := step.get("analyse")) is not None:
        checked["analyse"] = _checked_analysis(analyse, f"{where}.analyse")
    return checked


def _checked_analysis(analyse: Any, where: str) -> dict[str, Any]:
    _only(analyse, ANALYSE_KEYS, where)
    reaction = analyse.get("on_inconclusive", "pause")
    if reaction not in WHEN_INCONCLUSIVE:
        allowed = ", ".join(WHEN_INCONCLUSIVE)
        raise Invalid(f"{where}.on_inconclusive must be one of: {allowed}.", field=f"{where}.on_inconclusive")
    checked: dict[str, Any] = {
        "on_inconclusive": reaction,
        "min_requests": _number(
            analyse.get("min_requests", 1), f"{where}.min_requests", 1, 10**9, whole=True
        ),
        "within_seconds": _number(
            analyse.get("within_seconds", DEFAULT_WITHIN_SECONDS),
            f"{where}.within_seconds",
            1,
            604_800,
            whole=True,
        ),
    }
    if "max_error_rate" in analyse:
        checked["max_error_rate"] = _number(analyse["max_error_rate"], f"{where}.max_error_rate", 0, 1)
    if "p95_ms" in analyse:
        checked["p95_ms"] = _number(analyse["p95_ms"], f"{where}.p95_ms", 0.001, 600_000)
    return checked


def _only(value: Any, keys: set[str], where: str) -> None:
    if not isinstance(value, Mapping):
        raise Invalid(f"{where} must be an object.", field=where, allowed=", ".join(sorted(keys)))
    if odd := sorted(set(map(str, value)) - keys):
        raise Invalid(
            f"{where} does not know {odd[0]!r}.", field=f"{where}.{odd[0]}", allowed=", ".join(sorted(keys))
        )


def _number(value: Any, where: str, least: float, most: float, *, whole: bool = False) -> Any:
    kinds: tuple[type, ...] = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        what = "a whole number" if whole else "a number"
        raise Invalid(
            f"{where} must be {what} from {least:g} to {most:g}.",
            field=where,
            allowed=f"{least:g} to {most:g}",
        )
    return value


def judge(step: Mapping[str, Any], totals: Totals, waited_seconds: float) -> Verdict:
    """Whether a step has shown enough, and whether what it showed is good.

    A failure that later traffic cannot undo ends the step before its requests are complete.
    """
    analyse = step.get("analyse")
    if waited_seconds < step.get("hold_seconds", 0):
        return Verdict(Outcome.WAIT, f"Holds for {step['hold_seconds']} s.", {})
    if not analyse:
        return Verdict(Outcome.PASS, "This step asks for no analysis.", {})
    p95 = quantile_ms(totals.latency, 0.95)
    figures = {
        "requests": totals.judged,
        "min_requests": analyse["min_requests"],
        "errors": totals.errors,
        "error_rate": totals.error_rate,
        "max_error_rate": analyse.get("max_error_rate"),
        "p95_ms": p95,
        "max_p95_ms": analyse.get("p95_ms"),
    }
    needed = max(analyse["min_requests"], totals.judged)
    limit = analyse.get("max_error_rate")
    if limit is not None and totals.errors / needed > limit:
        share = 100 * totals.errors / totals.judged
        finding = f"{totals.errors} of {totals.judged} requests failed ({share:.1f} %); allowed are {100 * limit:g} %."
        return Verdict(Outcome.FAIL, finding, figures)
    if totals.judged < analyse["min_requests"]:
        so_far = f"{totals.judged} of {analyse['min_requests']} requests"
        if waited_seconds < analyse["within_seconds"]:
            return Verdict(Outcome.WAIT, f"{so_far} so far.", figures)
        finding = f"Only {so_far} in {analyse['within_seconds']} s: too few to say."
        return Verdict(Outcome.INCONCLUSIVE, finding, figures)
    if "p95_ms" in analyse and p95 is not None and p95 > analyse["p95_ms"]:
        finding = f"95 % of the requests took up to {p95:.0f} ms; allowed are {analyse['p95_ms']:g} ms."
        return Verdict(Outcome.FAIL, finding, figures)
    return Verdict(
        Outcome.PASS, f"{totals.judged} requests, {totals.errors} failed, p95 {p95:.0f} ms.", figures
    )
