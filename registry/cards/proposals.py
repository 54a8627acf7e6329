"""A first draft of a card from facts, for people to read, correct and keep."""

from __future__ import annotations

from collections.abc import Sequence

from core.templatetags.ui import day, number
from registry.cards.facts import holdout_words, metric_words
from registry.models import ModelVersion, RegisteredModel, VersionDataset


def proposed(
    model: RegisteredModel, version: ModelVersion | None, data: Sequence[VersionDataset]
) -> dict[str, str]:
    """Markdown for the sections of which something is known; nothing is kept until somebody keeps it."""
    draft = {"purpose": model.description.strip()}
    if version is not None:
        draft["data"] = _data(data)
        draft["evaluation"] = _evaluation(version, data)
        draft["limits"] = _limits(version)
    return {key: text for key, text in draft.items() if text}


def _data(data: Sequence[VersionDataset]) -> str:
    lines = []
    for use in data:
        what = use.dataset_version
        span = (
            f", {day(what.event_time_from)} to {day(what.event_time_to)}"
            if what.event_time_from and what.event_time_to
            else ""
        )
        label = what.label or f"v{what.number}"
        lines.append(
            f"- {use.get_role_display()}: {what.dataset.name} {label}, {number(what.rows)} rows{span}"
        )
    return "\n".join(lines)


def _evaluation(version: ModelVersion, data: Sequence[VersionDataset]) -> str:
    heldout = holdout_words(version, [use for use in data if use.role == VersionDataset.Role.HOLDOUT])
    said = [f"The run reports {figure} for v{version.number}." if (figure := metric_words(version)) else ""]
    said.append(f"Held out: {heldout}." if heldout else "The run does not say on which rows it was tested.")
    return " ".join(part for part in said if part)


def _limits(version: ModelVersion) -> str:
    limits = []
    if version.holdout.get("kind") == "random":
        limits.append(
            "- The hold-out was split at random. Rows of one day are alike, so the figures flatter a model"
            " that will meet new days."
        )
    if version.format_warning:
        limits.append(f"- Loading the files can run code: {version.format_warning}")
    if version.signature is None:
        limits.append("- It has no signature, so requests cannot be checked before they reach it.")
    return "\n".join(limits)
