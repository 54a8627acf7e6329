"""What a training run says about the version it made, in the words the registry keeps.

A run may carry, as tags: ``controlplane.dataset_versions`` (a JSON list of objects with
``role`` and either ``dataset`` and ``version`` or ``id``), ``controlplane.holdout`` (how the hold-out was split),
``controlplane.code_commit``, ``controlplane.environment`` and ``controlplane.parent_version`` (the version
this one was made from: ``3`` of the same model, or ``models:/<model>/3``). Data sets that MLflow's own
``log_input`` names are matched by name and digest.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from core.errors import Invalid
from core.text import checked_json
from registry.tracked import LoggedModel, Run

DATASET_VERSIONS = "controlplane.dataset_versions"
HOLDOUT = "controlplane.holdout"
CODE_COMMIT = "controlplane.code_commit"
ENVIRONMENT = "controlplane.environment"
PARENT_VERSION = "controlplane.parent_version"
TAGS_OF_RUNS = (DATASET_VERSIONS, HOLDOUT, CODE_COMMIT, ENVIRONMENT, PARENT_VERSION)
GIT_COMMIT = "mlflow.source.git.commit"
HOLDOUT_KINDS = ("random", "time_ordered", "grouped")
ROLES = ("training", "holdout", "reference")
ROLE_OF_CONTEXT = {
    "train": "training",
    "training": "training",
    "eval": "holdout",
    "test": "holdout",
    "holdout": "holdout",
}
MOST_DATASETS = 100
LARGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class DatasetReference:
    """A data set version a run names: by id, by name and number, or by name and digest."""

    role: str
    id: uuid.UUID | None = None
    name: str = ""
    number: int | None = None
    digest: str = ""

    @property
    def is_claim(self) -> bool:
        """Whether it says which version of this installation it is, and so must exist."""
        return self.id is not None or self.number is not None

    def __str__(self) -> str:
        return str(self.id) if self.id else f"{self.name[:200]} v{self.number}"


@dataclass
class RunFacts:
    """The part of a run that becomes part of a version."""

    run: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float | str] = field(default_factory=dict)
    code_commit: str = ""
    holdout: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    parent: str = ""
    datasets: list[DatasetReference] = field(default_factory=list)


def facts_of(run: Run | None, logged_model: LoggedModel | None) -> RunFacts:
    """Read the run and the logged model together; what only one says is kept from it."""
    parameters = {**(run.parameters if run else {}), **(logged_model.parameters if logged_model else {})}
    metrics = _metrics(run, logged_model)
    tags = {**(logged_model.tags if logged_model else {}), **(run.tags if run else {})}
    facts = RunFacts(
        parameters=dict(sorted(parameters.items())[:1000]),
        metrics=dict(sorted(metrics.items())[:1000]),
        code_commit=(tags.get(CODE_COMMIT) or tags.get(GIT_COMMIT) or "")[:100],
        holdout=_holdout(tags.get(HOLDOUT)),
        environment=_table(tags.get(ENVIRONMENT), ENVIRONMENT),
        parent=tags.get(PARENT_VERSION, "").strip(),
        datasets=_named_by_tag(tags.get(DATASET_VERSIONS)) + _named_by_input(run),
    )
    if run is not None:
        facts.run = {
            "id": run.id,
            "name": run.name,
            "experiment_id": run.experiment_id,
            "status": run.status,
            "user": run.user,
            "started_at_ms": run.started_at_ms,
            "ended_at_ms": run.ended_at_ms,
            "source": tags.get("mlflow.source.name", "")[:500],
            # As it was logged: most of it is data this installation does not keep.
            "inputs": [
                {"name": each.name[:500], "digest": each.digest[:100], "context": each.context[:100]}
                for each in run.inputs[:MOST_DATASETS]
                if each.name
            ],
        }
    return facts


def _metrics(run: Run | None, logged_model: LoggedModel | None) -> dict[str, float | str]:
    """The run's newest values; of several models of one run each keeps its own, such as of its checkpoint.

    MLflow gives a logged model what was logged at its step, 0 where none is named: of a run with one
    model that is where it began. Its own NaN a logged model cannot say; MLflow keeps it as 0.
    """
    logged = run.metrics if run else {}
    own = logged_model.metrics if logged_model else {}
    if run is not None and len(run.logged_models) < 2:
        return own | logged
    return logged | {
        name: value for name, value in own.items() if value != 0 or not isinstance(logged.get(name), str)
    }


def _holdout(text: str | None) -> dict[str, Any]:
    """How the hold-out was split; an unknown kind is refused, since a gate judges it."""
    holdout = _table(text, HOLDOUT)
    if holdout and holdout.get("kind") not in HOLDOUT_KINDS:
        allowed = ", ".join(HOLDOUT_KINDS)
        raise Invalid(
            f"The run's tag {HOLDOUT} has a kind that is none of: {allowed}.", field=HOLDOUT, allowed=allowed
        )
    return holdout


def _table(text: str | None, tag: str) -> dict[str, Any]:
    if not text:
        return {}
    value = _json(text, tag)
    if not isinstance(value, dict):
        raise Invalid(f"The run's tag {tag} is not a JSON object.", field=tag, allowed="a JSON object")
    return value


def _named_by_tag(text: str | None) -> list[DatasetReference]:
    if not text:
        return []
    entries = _json(text, DATASET_VERSIONS)
    rule = (
        'a JSON list of {"role": "training|holdout|reference", "dataset": "<name>", "version": <number>}'
        ' or {"role": …, "id": "<data set version>"}'
    )
    try:
        return [_reference(each) for each in entries[:MOST_DATASETS]]
    except (TypeError, KeyError, ValueError) as error:
        raise Invalid(
            f"The run's tag {DATASET_VERSIONS} is not {rule}.", field=DATASET_VERSIONS, allowed=rule
        ) from error


def _reference(entry: dict[str, Any]) -> DatasetReference:
    role = _role(entry["role"])
    if "id" in entry:
        return DatasetReference(role, id=uuid.UUID(str(entry["id"])))
    name, number = entry["dataset"], entry["version"]
    if not isinstance(name, str) or type(number) is not int or not 0 < number <= LARGEST_NUMBER:
        raise ValueError(entry)
    return DatasetReference(role, name=name, number=number)


def _role(value: object) -> str:
    if value not in ROLES:
        raise ValueError(value)
    return str(value)


def _named_by_input(run: Run | None) -> list[DatasetReference]:
    inputs = run.inputs if run else ()
    return [
        DatasetReference(
            role=ROLE_OF_CONTEXT.get(each.context, "reference"), name=each.name, digest=each.digest
        )
        for each in inputs[:MOST_DATASETS]
        if each.name and each.digest
    ]


def _json(text: str, tag: str) -> Any:
    try:
        return checked_json(json.loads(text), tag)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The run's tag {tag} is not JSON.", field=tag, allowed="JSON") from error
