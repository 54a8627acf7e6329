"""When a rule fires and when it falls silent: several windows in a row, both ways.

Pure values: a state and an observation give the next state, so replaying the same windows gives
the same alerts, and a window that is computed again is replayed and not counted twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum


class Verdict(StrEnum):
    """What a window says about the rule."""

    BREACH = "breach"
    FINE = "fine"
    UNKNOWN = "unknown"


class Change(StrEnum):
    """What a window changed."""

    NONE = "none"
    FIRED = "fired"
    CLEARED = "cleared"


@dataclass(frozen=True)
class State:
    """``run`` counts the windows in a row that speak against the present condition."""

    is_firing: bool = False
    run: int = 0

    def to_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Hysteresis:
    """Fires after ``fire_after`` breaching windows in a row, clears after ``clear_after`` fine ones.

    A window without a verdict (no labels, too few rows) neither counts nor breaks a run.
    """

    fire_after: int = 2
    clear_after: int = 2

    def __post_init__(self) -> None:
        if self.fire_after < 1 or self.clear_after < 1:
            raise ValueError("fire_after and clear_after are at least 1.")

    def step(self, state: State, verdict: Verdict) -> tuple[State, Change]:
        """The state after one more window, and what changed."""
        if verdict == Verdict.UNKNOWN:
            return state, Change.NONE
        against = Verdict.FINE if state.is_firing else Verdict.BREACH
        if verdict != against:
            return replace(state, run=0), Change.NONE
        needed = self.clear_after if state.is_firing else self.fire_after
        if state.run + 1 < needed:
            return replace(state, run=state.run + 1), Change.NONE
        change = Change.CLEARED if state.is_firing else Change.FIRED
        return State(is_firing=not state.is_firing), change

    def replay(self, verdicts: Iterable[Verdict]) -> tuple[State, list[Change]]:
        """The state after all windows, and the change at each."""
        state, changes = State(), []
        for verdict in verdicts:
            state, change = self.step(state, verdict)
            changes.append(change)
        return state, changes
