"""What the data behind a version says for or against it: held back, broken, never checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.db.models import Exists, OuterRef, Subquery

from pipelines.models import ContractCheck, DataContract
from pipelines.services import why_withheld
from registry.answers import Answer
from registry.models import ModelVersion, VersionDataset

MOST_NAMES = 3
UNSEEN_DATA = "data you may not see"
# Worst first: state -> tone, icon, how a sentence about such data begins.
LOOKS = {
    "quarantined": ("bad", "circle-x", "Its data is withheld"),
    "failed": ("bad", "circle-x", "Its data breaks the contract"),
    "unchecked": ("warn", "triangle-alert", "Its data was not checked against a contract"),
}


def contract_states(version: ModelVersion) -> list[dict[str, Any]]:
    """Each data set version behind the version with the state of its last contract check."""
    newest = ContractCheck.objects.filter(version=OuterRef("dataset_version")).order_by("-checked_at", "-pk")
    promised = DataContract.objects.filter(dataset=OuterRef("dataset_version__dataset"))
    uses = (
        VersionDataset.objects.filter(version=version)
        .order_by("dataset_version_id", "role")  # signatures cover what is said of them
        .select_related("dataset_version__dataset")
        .defer("dataset_version__profile", "dataset_version__schema")
        .annotate(check_status=Subquery(newest.values("status")[:1]), is_promised=Exists(promised))
    )
    found: dict[Any, dict[str, Any]] = {}
    for use in uses:
        data = use.dataset_version
        # A hold-out is cut from versions that were checked: its own data set need not have a contract.
        is_cut = use.check_status is None and not use.is_promised and data.derivation
        if is_cut and why_withheld(data) is None:
            continue
        status = "quarantined" if why_withheld(data) else use.check_status or "unchecked"
        found[data.pk] = {"id": data.pk, "name": str(data), "status": status}
    return list(found.values())


def facts_about(version: ModelVersion, seen: Sequence[VersionDataset]) -> list[Answer]:
    """What stands on the version's page; data that the reader may not see is not named."""
    if not version.is_ready:
        return []
    names: dict[str, list[str]] = {}
    visible = {use.dataset_version_id for use in seen}
    for each in contract_states(version):
        names.setdefault(each["status"], []).append(each["name"] if each["id"] in visible else UNSEEN_DATA)
    facts = [
        Answer(*look, f"{', '.join(dict.fromkeys(names[state][:MOST_NAMES]))}.")
        for state, look in LOOKS.items()
        if state in names
    ]
    return facts + _of_holdout(version, visible)


def _of_holdout(version: ModelVersion, visible: set[Any]) -> list[Answer]:
    """Why it could not be evaluated: no rows are held out, or nothing says which answers are right."""
    held = version.datasets.filter(role=VersionDataset.Role.HOLDOUT).select_related(
        "dataset_version__dataset"
    )
    use = held.defer("dataset_version__profile").first()
    if use is None:
        return [NO_HOLDOUT]
    data, is_seen = use.dataset_version, use.dataset_version_id in visible
    label = data.dataset.label_column or version.holdout.get("label_column", "")
    name = str(data) if is_seen else "Its hold-out"
    address = f"/data/{quote(data.dataset.name, safe='')}/edit/" if is_seen else ""
    if not label:
        detail = f"{name} does not say which column models are to predict, so an evaluation would fail."
        return [_unlabelled("Its hold-out names no label column", detail, address)]
    if data.schema and data.column(label) is None:
        column = f"column {label}, which" if is_seen else "such column as"
        detail = f"{name} has no {column} its data set names as the label."
        return [_unlabelled("Its hold-out lacks the label column", detail, address)]
    return []


def _unlabelled(title: str, detail: str, address: str) -> Answer:
    link = "Name it" if address else ""
    return Answer("warn", "triangle-alert", title, detail, address, link, forbids=True)


NO_HOLDOUT = Answer(
    "warn",
    "triangle-alert",
    "It cannot be evaluated: no hold-out is named",
    "Gates that rest on an evaluation would fail. Have the run name the data set version of its hold-out in"
    " the tag controlplane.dataset_versions, and register it again.",
    forbids=True,
)
