"""What the list of models says of each: its metric so far, its newest against the champion, what it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject

from core.actors import Actor
from registry.evaluations.measured import Measured, measured_of
from registry.evaluations.models import Evaluation
from registry.evaluations.verdicts import metric_rows
from registry.metrics import main_metric, word_of
from registry.models import ModelVersion, RegisteredModel, VersionDataset
from registry.readiness import broken_run

MOST_VERSIONS = 12
Row = dict[str, Any]
# The hold-outs a version's run tested on, by the version.
Tests = dict[Any, frozenset[str]]


@dataclass
class Outlook:
    """One line's drawings and words; ``values`` oldest first, of versions tested on the newest's rows.

    They are what runs logged, unless the newest was scored here (``measured``).
    """

    metric: str = ""
    values: list[float | None] = field(default_factory=list)
    against: Row | None = None
    tone: str = ""
    needs: str = ""
    is_champion: bool = False
    measured: Measured | None = None

    @property
    def newest(self) -> float | None:
        return next((value for value in reversed(self.values) if value is not None), None)


def outlook_of(actor: Actor, models: Sequence[RegisteredModel]) -> dict[Any, Outlook]:
    """For each model of a list (``with_newest``); three queries, however many there are."""
    ready, tests = _ready_versions(models)
    judged = _judged(actor, [versions[-1] for versions in ready.values() if versions])
    measured = measured_of(actor, [each for versions in ready.values() for each in versions])
    found = {}
    for model in models:
        versions = ready.get(model.pk, [])
        metric = main_metric(versions)
        champion = next((alias.version for alias in model.champions), None)
        against = judged.get((versions[-1].pk, champion.pk)) if versions and champion else None
        tone, needs = _needs(model, champion, versions, tests, against)
        scored = measured.get(str(versions[-1].pk)) if versions else None
        alike = _tested_alike(versions, tests)
        values = _scored(alike, scored, measured, champion, against) if scored else _logged(alike, metric)
        is_champion = bool(champion and versions and champion.number == versions[-1].number)
        word = word_of(metric) if metric else ""
        found[model.pk] = Outlook(
            scored.words if scored else word, values, against, tone, needs, is_champion, scored
        )
    return found


def _logged(versions: Iterable[ModelVersion], metric: str) -> list[float | None]:
    return [_number(version.metrics.get(metric)) for version in versions]


def _scored(
    versions: Iterable[ModelVersion],
    newest: Measured,
    measured: Mapping[str, Measured],
    champion: ModelVersion | None,
    against: Row | None,
) -> list[float | None]:
    """What was scored here, where the newest was: a line that joins it to what runs say tells nothing.

    Of the champion that is also what the newest was held against on the same rows.
    """
    known = {key: each.value for key, each in measured.items() if each.name == newest.name}
    if champion and against and (against["data"], against["words"]) == (newest.data_id, newest.words):
        known[str(champion.pk)] = against["champion"]
    return [known.get(str(version.pk)) for version in versions]


def _ready_versions(models: Iterable[RegisteredModel]) -> tuple[dict[Any, list[ModelVersion]], Tests]:
    """The newest ready versions of each, oldest first, with no more than the list shows of them; and their tests."""
    rows = ModelVersion.objects.ready().filter(model=OuterRef("pk")).order_by("-number")
    heldout = VersionDataset.objects.filter(version=OuterRef("pk"), role=VersionDataset.Role.HOLDOUT)
    tested = ArraySubquery(heldout.order_by("dataset_version_id").values("dataset_version_id"))
    said = JSONObject(id="id", number="number", metrics="metrics", run_status="run__status", tested_on=tested)
    asked = RegisteredModel.objects.filter(pk__in=[model.pk for model in models])
    found = asked.annotate(said=ArraySubquery(rows.values(said=said)[:MOST_VERSIONS]))
    ready: dict[Any, list[ModelVersion]] = {}
    tests: Tests = {}
    for pk, versions in found.values_list("pk", "said"):
        tests |= {each["id"]: frozenset(each.pop("tested_on")) for each in versions}
        ready[pk] = [_version(**each) for each in reversed(versions)]
    return ready, tests


def _version(run_status: Any, **said: Any) -> ModelVersion:
    return ModelVersion(**said, run={"status": run_status})


def _tested_alike(versions: Sequence[ModelVersion], tests: Tests) -> list[ModelVersion]:
    """Those whose runs tested on the rows of the newest: a line that joins others tells nothing."""
    newest = versions[-1].pk if versions else ""
    rows = tests.get(newest)
    return [each for each in versions if each.pk == newest or (rows and tests[each.pk] == rows)]


def _judged(actor: Actor, versions: Sequence[ModelVersion]) -> dict[tuple[Any, Any], Row]:
    """The main figure of the newest evaluation of each version against each champion."""
    rows = Evaluation.objects.visible_to(actor).filter(
        candidate__in=[str(version.pk) for version in versions],
        champion__isnull=False,
        status=Evaluation.Status.SUCCEEDED,
        is_data_seen=True,
    )
    newest = rows.order_by("candidate_id", "champion_id", "-created_at").distinct(
        "candidate_id", "champion_id"
    )
    shown = newest.only("candidate_id", "champion_id", "comparison", "dataset_version_id")
    return {
        (str(each.candidate_id), each.champion_id): {**main[0], "data": each.dataset_version_id}
        for each in shown
        if (main := metric_rows(each))
    }


def _needs(
    model: RegisteredModel,
    champion: ModelVersion | None,
    versions: Sequence[ModelVersion],
    tests: Tests,
    against: Row | None,
) -> tuple[str, str]:
    """Tone and words of the one thing that matters most; nothing when nothing is to be done."""
    newest = versions[-1].number if versions else 0
    if champion is not None and champion.integrity_failure:
        return "bad", f"Stored files of v{champion.number} have changed"
    if model.newest_number is None:
        return "n", "Register a first version"
    if model.newest_status == ModelVersion.Status.FAILED_REGISTRATION:
        return "bad", f"v{model.newest_number} could not be registered"
    if champion is not None and model.on_call is None and not model.is_prompt:
        return "warn", "Name who is on call"
    if model.owner is None:
        return "warn", "Name an owner"
    if model.newest_status == ModelVersion.Status.PENDING_REGISTRATION:
        return "n", f"v{model.newest_number} is being hashed"
    if model.is_prompt:
        return "", ""
    if champion is None:
        return _of_first(versions[-1], tests) if newest else ("n", "")
    if newest > champion.number:
        if words := broken_run(versions[-1]):
            return "warn", f"v{newest} is new; its run {words}"
        return _of_candidate(newest, champion.number, against)
    return "", ""


def _of_first(newest: ModelVersion, tests: Tests) -> tuple[str, str]:
    """Nothing is live: may the newest be asked for?"""
    if words := broken_run(newest):
        return "warn", f"v{newest.number} is new; its run {words}"
    if not tests[newest.pk]:
        return "n", f"v{newest.number} is new; it names no hold-out"
    return "n", f"v{newest.number} waits to be promoted"


def _of_candidate(newest: int, champion: int, against: Row | None) -> tuple[str, str]:
    if against is None:
        return "n", f"Evaluate v{newest} against v{champion}"
    if against["verdict"] == "Better":
        return "ok", f"v{newest} is better than v{champion}: ask for its promotion"
    if against["verdict"] == "Worse":
        return "warn", f"v{newest} is worse than v{champion}"
    return "n", f"v{newest} and v{champion} do not differ for sure"


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
