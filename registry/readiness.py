"""Can this version be promoted? What speaks for it, what warns, what forbids."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.digests import with_short_digests
from registry.answers import Answer
from registry.data_facts import NO_HOLDOUT
from registry.lineage import is_training_known
from registry.models import ALWAYS_PROTECTED, ModelVersion

# MLflow's word for how a run ended badly -> ours.
BROKEN_RUNS = {"FAILED": "failed", "KILLED": "was stopped"}
HOLDOUT_WORDS = {"random": "at random", "time_ordered": "by time", "grouped": "by groups"}


@dataclass(frozen=True)
class Readiness:
    """The answer in words, and the facts it rests on, worst first."""

    tone: str
    icon: str
    word: str
    note: str
    facts: list[Answer]

    @property
    def look(self) -> str:
        return f"i t-{self.tone}"

    @property
    def is_clear(self) -> bool:
        """Whether asking for a promotion is the next thing to do."""
        return self.word == "Yes"


def readiness_of(
    version: ModelVersion,
    behind: Collection[str],
    *,
    of_data: Sequence[Answer] = (),
    of_scanners: Sequence[Answer] = (),
    of_promotion: Sequence[Answer] = (),
    of_figures: Sequence[Answer] = (),
    is_evaluated: bool = False,
) -> Readiness:
    """What the registry itself knows, and what data, scanners, evaluations and policies tell.

    ``behind`` names all data sets behind the version, also those its reader may not see: they are not told.
    """
    if version.status == ModelVersion.Status.PENDING_REGISTRATION:
        return Readiness("info", "loader-circle", "Not yet", "its files are being hashed", [])
    if version.status == ModelVersion.Status.FAILED_REGISTRATION:
        return Readiness("bad", "circle-x", "No", "its registration failed", [])
    facts = sorted(
        (
            _integrity(version),
            *of_data,
            *of_scanners,
            *of_promotion,
            *of_figures,
            *_run(version),
            *_holdout(version, NO_HOLDOUT not in of_data),
            _format(version),
            *_origin(version, behind),
        ),
        key=_worst_first,
    )
    if not version.is_intact:
        return Readiness("bad", "circle-x", "No", "its stored files have changed", facts)
    if any(alias.name in ALWAYS_PROTECTED for alias in version.aliases.all()):
        return Readiness(
            "ok", "badge-check", "It is the champion", "rollback and promotion move on from it", facts
        )
    if worst := next((fact for fact in of_data if fact.tone == "bad"), None):
        return Readiness("bad", "circle-x", "Not as it is", _begun_small(worst.title), facts)
    if first := next((fact for fact in facts if fact.forbids), None):
        return Readiness(first.tone, first.icon, "Not yet", _begun_small(first.title), facts)
    warnings = sum(fact.tone in {"warn", "bad"} for fact in facts)
    unknown = "" if is_evaluated else ", not evaluated yet"
    if warnings:
        note = f"with {warnings} warning{'s' * (warnings > 1)}{unknown}"
        return Readiness("warn", "triangle-alert", "Yes", note, facts)
    if unknown:
        return Readiness("info", "circle-dashed", "Yes, as far as known", "it was not evaluated yet", facts)
    return Readiness("ok", "circle-check", "Yes", "nothing known speaks against it", facts)


def untraced_inputs(version: ModelVersion, behind: Collection[str]) -> list[dict[str, str]]:
    """The inputs a run logged that no version of a data set was found for."""
    return [each for each in version.run.get("inputs", []) if each["name"] not in behind]


def _begun_small(title: str) -> str:
    return title[:1].lower() + title[1:]


def _worst_first(fact: Answer) -> int:
    return ("bad", "warn", "info", "ok").index(fact.tone)


def _integrity(version: ModelVersion) -> Answer:
    if version.is_intact:
        return Answer(
            "ok", "badge-check", "Files are as registered", "Every file is hashed again before it is loaded."
        )
    return Answer(
        "bad",
        "circle-x",
        "Stored files differ from what was registered",
        with_short_digests(version.integrity_failure),
    )


def _run(version: ModelVersion) -> list[Answer]:
    """A run that broke off says so; one that ended well needs no line of its own."""
    if not (words := broken_run(version)):
        return []
    detail = "What it logged may be half of what was meant: look at its files and metrics before you ask."
    return [Answer("warn", "triangle-alert", f"Its run {words}", detail)]


def broken_run(version: ModelVersion) -> str:
    """How the run broke off, completing "its run ...", or an empty text."""
    return BROKEN_RUNS.get(str(version.run.get("status", "")), "")


def _holdout(version: ModelVersion, is_named: bool) -> list[Answer]:
    """How it was split; of one that is not named the run's words say nothing."""
    if not is_named:
        return []
    kind = version.holdout.get("kind")
    if kind == "random":
        detail = "Rows of one day are alike: a random hold-out flatters a model that meets new days."
        return [Answer("warn", "triangle-alert", "Hold-out was split at random", detail)]
    if kind:
        return [Answer("ok", "circle-check", f"Hold-out was split {HOLDOUT_WORDS.get(kind, kind)}")]
    return [Answer("warn", "circle-help", "How the hold-out was split is not known", "The run does not say.")]


def _format(version: ModelVersion) -> Answer:
    if version.format_warning:
        return Answer("warn", "triangle-alert", "Loading it can run code", version.format_warning)
    return Answer("ok", "circle-check", "Its format runs no code when loaded")


def _origin(version: ModelVersion, behind: Collection[str]) -> list[Answer]:
    """What is not known, and what is known only by the run's word: the one does not hide the other."""
    logged = untraced_inputs(version, behind)
    missing = [
        word
        for word, known in (
            ("training data", logged or is_training_known(version)),
            ("code commit", version.code_commit),
            ("run", version.run_id),
        )
        if not known
    ]
    facts = []
    if missing:
        facts.append(Answer("warn", "circle-help", _not_known(missing), "The run does not say."))
    if logged:
        facts.append(_untraced(logged, "Part of its data" if behind else "Its data"))
    return facts or [Answer("ok", "circle-check", "Its training data, code and run are known")]


def _untraced(logged: Sequence[dict[str, str]], what: str) -> Answer:
    names = ", ".join(dict.fromkeys(each["name"] for each in logged[:3]))
    return Answer(
        "warn",
        "circle-help",
        f"{what} is named, but traced to no data set",
        f"The run logged {names}. As a version of a data set here it could be checked and followed.",
    )


def _not_known(missing: Sequence[str]) -> str:
    """Its run is not known; its data and run are; its data, code commit and run are."""
    *others, last = missing
    if not others:
        return f"Its {last} is not known"
    return f"Its {', '.join(others)} and {last} are not known"
