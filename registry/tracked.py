"""What MLflow's tracking server keeps of runs and logged models, as the registry knows it."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from audit.targets import Target

# Set by edge on everything that is logged: the id of the person who logged it.
OWNER = "controlplane.owner"
# Whose are the runs that nobody is known to have logged.
NOBODY = str(uuid.UUID(int=0))
RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# A run's status until it ends.
RUNNING = "RUNNING"
# Tags that MLflow's clients set: the run that one is part of, and what its maker says of it.
PARENT = "mlflow.parentRunId"
NOTE = "mlflow.note.content"


@dataclass(frozen=True)
class Owned:
    """A run or logged model, by the column of versions that names it, and the person who logged it."""

    column: str
    id: str
    owner: str
    artifact_uri: str = ""


@dataclass(frozen=True)
class Entry:
    """What is directly in a folder of artifacts: a file with its size, or a folder without one."""

    name: str
    size: int | None


@dataclass(frozen=True)
class FileState:
    """One file anywhere below a folder of artifacts, and when it was written last."""

    path: str
    size: int
    changed_at: datetime


@dataclass(frozen=True)
class DatasetInput:
    """A data set a run says it used; ``context`` is training, holdout or reference."""

    name: str
    digest: str
    context: str
    source: str = ""


@dataclass(frozen=True)
class Run:
    """What the tracking server knows of a run."""

    id: str
    name: str = ""
    experiment_id: str = ""
    status: str = ""
    user: str = ""
    started_at_ms: int = 0
    ended_at_ms: int = 0
    artifact_uri: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float | str] = field(default_factory=dict)
    # The step of each metric's newest value: 0 where clients count none.
    steps: dict[str, int] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    inputs: tuple[DatasetInput, ...] = ()
    # Ids of the logged models it made, in no order.
    logged_models: tuple[str, ...] = ()
    is_deleted: bool = False

    @property
    def owned(self) -> Owned:
        return Owned("run_id", self.id, self.owner, self.artifact_uri)

    @property
    def owner(self) -> str:
        return self.tags.get(OWNER, "")

    @property
    def target(self) -> Target:
        """As events name it."""
        return Target("tracking.run", self.id, self.name or self.id)


@dataclass(frozen=True)
class LoggedModel:
    """What the tracking server knows of a logged model."""

    id: str
    name: str = ""
    run_id: str = ""
    created_at_ms: int = 0
    artifact_uri: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float | str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def owned(self) -> Owned:
        return Owned("logged_model_id", self.id, self.tags.get(OWNER, ""), self.artifact_uri)
