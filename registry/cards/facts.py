"""What the registry knows by itself and a card need not be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.urls import reverse

from core.templatetags.ui import size
from registry.cards.sections import EVERY, NEVER, ONLY_HIGH, SERIOUS
from registry.metrics import main_metric, word_of
from registry.models import ModelVersion, RegisteredModel, VersionDataset
from registry.readiness import HOLDOUT_WORDS
from registry.run_facts import CODE_COMMIT


@dataclass(frozen=True)
class Fact:
    """One line of the card; ``value`` is empty while it is not known.

    ``remedy`` says what would make it known, and ``place`` leads to where that is done.
    """

    key: str
    title: str
    value: str
    tiers: frozenset[str]
    remedy: str = ""
    place: str = ""

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key in {"key", "title", "value"}}


def facts_of(
    model: RegisteredModel, version: ModelVersion | None, data: Sequence[VersionDataset]
) -> list[Fact]:
    """Facts of the model and, where there is one, of the version; ``data`` is what the reader may see."""
    people = [
        Fact("owner", "Owner", _name(model.owner), EVERY, "Name the owner under Edit."),
        Fact("on_call", "On call", _name(model.on_call), SERIOUS, "Name the person on call under Edit."),
        Fact("tier", "Risk tier", model.get_tier_display(), EVERY),
    ]
    return people if version is None else [*people, *_of_version(version, data)]


def _of_version(version: ModelVersion, data: Sequence[VersionDataset]) -> list[Fact]:
    trained = [use for use in data if use.role == VersionDataset.Role.TRAINING]
    heldout = [use for use in data if use.role == VersionDataset.Role.HOLDOUT]
    tell = (
        "Let the run name it. Each version of a data set has the line to copy.",
        reverse("pipelines:datasets"),
    )
    return [
        Fact("version", "Version", f"v{version.number}", NEVER),
        Fact("training_data", "Trained on", names_of(trained), EVERY, *tell),
        Fact("holdout", "Held out", holdout_words(version, heldout), EVERY, *tell),
        Fact("metric", "Main figure", metric_words(version), EVERY, "Log a metric in the run."),
        Fact(
            "code_commit",
            "Code commit",
            version.code_commit[:12],
            ONLY_HIGH,
            f"Let the run name it in the tag {CODE_COMMIT}.",
        ),
        Fact("format", "Format", format_words(version), NEVER),
        Fact("size", "Size", size(version.size) if version.digest else "", NEVER),
    ]


def names_of(uses: Sequence[VersionDataset]) -> str:
    """Data set versions in a few words."""
    said = [f"{use.dataset_version.dataset.name} {_label(use)}" for use in uses]
    return ", ".join(said[:6]) + (f" and {len(said) - 6} more" if len(said) > 6 else "")


def holdout_words(version: ModelVersion, heldout: Sequence[VersionDataset]) -> str:
    kind = str(version.holdout.get("kind", ""))
    split = f"split {HOLDOUT_WORDS.get(kind, kind)}" if kind else ""
    return ", ".join(part for part in (names_of(heldout), split) if part)


def metric_words(version: ModelVersion) -> str:
    name = main_metric([version])
    return f"{word_of(name)} {version.metrics[name]:.4f}" if name else ""


def format_words(version: ModelVersion) -> str:
    if not version.digest:
        return ""
    return "loading it can run code" if version.format_warning else "known to be safe"


def _label(use: VersionDataset) -> str:
    return use.dataset_version.label or f"v{use.dataset_version.number}"


def _name(person: Any) -> str:
    return person.name if person else ""
