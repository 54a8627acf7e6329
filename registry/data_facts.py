"""What the data behind a version says for or against it: held back, broken, never checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.db.models import Exists, OuterRef, Subquery

from core.actors import Actor
from pipelines.models import ContractCheck, DataContract, DatasetVersion
from pipelines.services import why_withheld
from registry.answers import Answer
from registry.held_out import own_holdout, training_data_behind
from registry.models import ModelVersion, VersionDataset
from registry.signature import columns_of

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


def names_for(actor: Actor, data: Sequence[DatasetVersion]) -> list[str]:
    """Names of data for a reader who may not see all of it."""
    visible = {each.pk for each in data}
    if visible and not actor.holds_everywhere("view"):
        rows = DatasetVersion.objects.visible_to(actor).filter(pk__in=visible)
        visible = set(rows.values_list("pk", flat=True))
    return list(dict.fromkeys(str(each) if each.pk in visible else UNSEEN_DATA for each in data))


def _of_holdout(version: ModelVersion, visible: set[Any]) -> list[Answer]:
    """Why an evaluation would fail or say nothing: no rows, no label, rows that were trained on."""
    use = own_holdout(version)
    if use is None:
        return [NO_HOLDOUT]
    is_seen = use.dataset_version_id in visible
    return [
        *_trained_on(version, use.dataset_version, visible),
        *_of_label(version, use.dataset_version, is_seen),
        *_of_inputs(version, use.dataset_version, is_seen),
    ]


def _trained_on(version: ModelVersion, heldout: DatasetVersion, visible: set[Any]) -> list[Answer]:
    """Named where the reader may see both: that two data sets are one is told to who sees them."""
    if not (behind := training_data_behind(version, heldout)):
        return []
    is_told = heldout.pk in visible
    names = [str(each) if is_told and each.pk in visible else UNSEEN_DATA for each in behind]
    title = f"Its hold-out is data it was trained on: {', '.join(dict.fromkeys(names[:MOST_NAMES]))}"
    return [Answer("bad", "circle-x", title, LEAKS, forbids=True)]


def _of_label(version: ModelVersion, data: DatasetVersion, is_seen: bool) -> list[Answer]:
    label = data.dataset.label_column or version.holdout.get("label_column", "")
    name = str(data) if is_seen else "Its hold-out"
    address = f"/data/{quote(data.dataset.name, safe='')}/edit/" if is_seen else ""
    if not label:
        detail = f"{name} does not say which column models are to predict, so an evaluation would fail."
        return [_unfit("Its hold-out names no label column", detail, address)]
    if data.schema and data.column(label) is None:
        column = f"column {label}, which" if is_seen else "such column as"
        detail = f"{name} has no {column} its data set names as the label."
        return [_unfit("Its hold-out lacks the label column", detail, address)]
    return []


def _of_inputs(version: ModelVersion, data: DatasetVersion, is_seen: bool) -> list[Answer]:
    """An evaluation hands the model every column that its signature names, optional ones too."""
    asked = [each.name for each in columns_of(version.signature) if each.part == "Input" and each.is_named]
    lacking = [name for name in asked if data.schema and data.column(name) is None]
    if not lacking:
        return []
    columns = ", ".join(lacking[:MOST_NAMES]) + (" and more" if len(lacking) > MOST_NAMES else "")
    what = f"{data} has no column {columns}" if is_seen else "Its hold-out has not all of them"
    detail = f"{what}, so an evaluation would fail."
    return [_unfit("Its hold-out lacks columns that its signature asks for", detail)]


def _unfit(title: str, detail: str, address: str = "") -> Answer:
    link = "Name it" if address else ""
    return Answer("warn", "triangle-alert", title, detail, address, link, forbids=True)


LEAKS = (
    "Figures on rows that a model has seen say nothing of new ones, so gates on metrics fail. Keep rows out of"
    " the training, add them as a version of a data set, and register again with that one as the hold-out."
)
NO_HOLDOUT = Answer(
    "warn",
    "triangle-alert",
    "It cannot be evaluated: no hold-out is named",
    "Gates that rest on an evaluation would fail. Have the run name the data set version of its hold-out in"
    " the tag controlplane.dataset_versions, and register it again.",
    forbids=True,
)
