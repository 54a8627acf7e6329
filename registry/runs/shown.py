"""A run as pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from registry.metrics import main_metric, value_in_words, word_of
from registry.models import ModelVersion
from registry.tracked import NOTE, Run

# MLflow's word -> ours, for a pill.
STATUSES = {
    "RUNNING": "running",
    "SCHEDULED": "queued",
    "FINISHED": "succeeded",
    "FAILED": "failed",
    "KILLED": "cancelled",
}
# Tags that MLflow or the registry set, shown in their own places or of no use to people.
KEPT_TO_ITSELF = ("mlflow.", "controlplane.")


@dataclass(frozen=True)
class Metric:
    """The newest value of a metric; ``course`` holds what was logged, None where that was no number.

    Without a course it was not asked for, and ``step`` is all that is known of how much was logged.
    """

    name: str
    value: float | str
    step: int = 0
    course: Sequence[float | None] | None = None
    is_sampled: bool = False

    @property
    def words(self) -> str:
        return value_in_words(self.value)

    @property
    def said(self) -> str:
        """How people say its name."""
        return word_of(self.name)

    @property
    def gaps(self) -> int:
        """How many of the values that were read are no numbers."""
        return sum(value is None for value in self.course or ())


@dataclass(frozen=True)
class ShownRun:
    """A run as a page shows it; ``versions`` are those the reader may see."""

    run: Run
    experiment: str
    versions: Sequence[ModelVersion]
    metrics: Sequence[Metric]
    # Whether it is the reader's own.
    is_own: bool = True
    # The metric that a list is ordered by.
    by: str = ""

    @property
    def name(self) -> str:
        return self.run.name or self.run.id[:8]

    @property
    def status(self) -> str:
        return "deleted" if self.run.is_deleted else STATUSES.get(self.run.status, "unknown")

    @property
    def started_at(self) -> datetime | None:
        return _moment(self.run.started_at_ms)

    @property
    def seconds(self) -> float | None:
        ended, started = self.run.ended_at_ms, self.run.started_at_ms
        return (ended - started) / 1000 if ended and started else None

    @property
    def main(self) -> Metric | None:
        name = self.by or main_metric([self.run])
        return next((each for each in self.metrics if each.name == name), None)

    @property
    def tags(self) -> list[tuple[str, str]]:
        return sorted(
            (key, value) for key, value in self.run.tags.items() if not key.startswith(KEPT_TO_ITSELF)
        )

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return sorted(self.run.parameters.items())

    @property
    def note(self) -> str:
        return self.run.tags.get(NOTE, "").strip()

    @property
    def source(self) -> str:
        return self.run.tags.get("mlflow.source.name", "")

    @property
    def code_commit(self) -> str:
        return self.run.tags.get("controlplane.code_commit") or self.run.tags.get(
            "mlflow.source.git.commit", ""
        )


def _moment(milliseconds: int) -> datetime | None:
    if not milliseconds:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    except (OverflowError, OSError, ValueError):  # a client may log any number
        return None
