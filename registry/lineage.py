"""Where a version comes from: data, code and run, as the actor may see them."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from accounts.actors import actor_for
from accounts.models import Account
from core.actors import Actor
from core.errors import Invalid
from pipelines.models import DatasetVersion
from pipelines.models.datasets import DatasetVersionQuerySet
from registry.downstream import steps_after
from registry.models import ModelVersion, VersionDataset
from registry.run_facts import DATASET_VERSIONS, PARENT_VERSION, DatasetReference

Use = tuple[str, DatasetVersion]
MOST_CHILDREN = 20
# What of a hold-out tells whose rows it holds.
NAMING_DATA = frozenset({"dataset", "dataset_version", "dataset_version_id", "label_column"})
PARENT = re.compile(r"^(?:models:/+([^/@\x00]+)/)?v?([1-9]\d{0,8})\Z")


def found_data(references: list[DatasetReference], version: ModelVersion) -> list[Use]:
    """The data set versions a run named, as far as whoever registered the version may see them.

    One named by id or number must exist: a claim that cannot be checked fails the registration. Inputs
    that MLflow logged may be data this installation does not keep, and are left out.
    """
    creator = creator_of(version)
    known = DatasetVersion.objects.visible_to(creator).select_related("dataset")
    uses: dict[tuple[str, Any], Use] = {}
    for each in references:
        found = _found(each, known)
        if found is None and each.is_claim:
            raise Invalid(
                f"The run's tag {DATASET_VERSIONS} names {each}, which is no data set version"
                " that whoever registers may see.",
                field=DATASET_VERSIONS,
                allowed="versions of data sets that you may see, by name and number or by id",
            )
        if found is not None:
            uses[each.role, found.pk] = (each.role, found)
    return list(uses.values())


def _found(reference: DatasetReference, known: DatasetVersionQuerySet) -> DatasetVersion | None:
    if reference.id is not None:
        return known.filter(pk=reference.id).first()
    if reference.number is not None:
        return known.filter(dataset__name=reference.name, number=reference.number).first()
    return known.named(reference.name, reference.digest).order_by("-number").first()


def found_parent(text: str, version: ModelVersion) -> ModelVersion | None:
    """The version a run says it went on from, which whoever registers must be allowed to see."""
    if not text:
        return None
    match = PARENT.match(text)
    known = ModelVersion.objects.visible_to(creator_of(version)).ready().exclude(pk=version.pk)
    found = None
    if match:
        same = (
            known.filter(model=version.model_id) if match[1] is None else known.filter(model__name=match[1])
        )
        found = same.filter(number=int(match[2])).first()
    if found is None:
        raise Invalid(
            f"The run's tag {PARENT_VERSION} names {text[:200]!r}, which is no ready version that whoever"
            " registers may see.",
            field=PARENT_VERSION,
            allowed="the number of a version, or models:/<registered model>/<number>",
        )
    return found


def copied_data(origin: ModelVersion) -> list[Use]:
    """A copy of a version was made from the same data."""
    return [
        (use.role, use.dataset_version) for use in origin.datasets.select_related("dataset_version__dataset")
    ]


def data_of(actor: Actor, version: ModelVersion) -> list[VersionDataset]:
    """The data behind a version that the actor may see, training first."""
    uses = VersionDataset.objects.filter(version=version)
    if not actor.holds_everywhere("view"):
        uses = uses.filter(dataset_version__in=DatasetVersion.objects.visible_to(actor))
    related = uses.select_related("dataset_version__dataset").defer(
        "dataset_version__profile", "dataset_version__schema"
    )
    order = {role: place for place, role in enumerate(VersionDataset.Role.values[::-1])}
    return sorted(related, key=lambda use: (-order[use.role], use.dataset_version.number))


def names_behind(version: ModelVersion) -> set[str]:
    """Data sets behind a version, seen or not: for what is reckoned, never for what is told."""
    return set(version.datasets.values_list("dataset_version__dataset__name", flat=True))


def is_training_known(version: ModelVersion) -> bool:
    """Whether a data set version that it was trained on is known; its hold-out alone says nothing of that."""
    return version.datasets.filter(role=VersionDataset.Role.TRAINING).exists()


def sees_all_data(actor: Actor, version_id: UUID) -> bool:
    """Whether the actor may see every data set version behind a version."""
    if actor.holds_everywhere("view"):
        return True
    hidden = VersionDataset.objects.filter(version=version_id).exclude(
        dataset_version__in=DatasetVersion.objects.visible_to(actor)
    )
    return not hidden.exists()


def holdout_as_told(actor: Actor, version: ModelVersion) -> dict[str, Any]:
    """How rows were held out; of which data set only to who may see it."""
    if sees_all_data(actor, version.pk):
        return version.holdout
    return {key: value for key, value in version.holdout.items() if key not in NAMING_DATA}


def run_as_told(actor: Actor, version: ModelVersion) -> dict[str, Any]:
    """What its run says of itself, without inputs that are data the actor may not see."""
    if sees_all_data(actor, version.pk) or "inputs" not in version.run:
        return version.run
    hidden = names_behind(version) - {use.dataset_version.dataset.name for use in data_of(actor, version)}
    return {**version.run, "inputs": [each for each in version.run["inputs"] if each["name"] not in hidden]}


def lineage_of(actor: Actor, version: ModelVersion) -> dict[str, Any]:
    """Data set versions, code, run and the version itself, oldest first."""
    # The run of an imported version is on another server: a fact here, never an id that gives rights.
    run_id = version.run_id or version.run.get("id")
    return {
        "datasets": [
            {
                "role": use.role,
                "dataset": use.dataset_version.dataset.name,
                "version": use.dataset_version.number,
                "label": use.dataset_version.label,
                "digest": f"sha256:{use.dataset_version.digest}",
                "status": use.dataset_version.status,
            }
            for use in data_of(actor, version)
        ],
        "code": {"commit": version.code_commit} if version.code_commit else None,
        "run": {**run_as_told(actor, version), "id": run_id} if run_id else None,
        "logged_model": version.logged_model_id or None,
        "holdout": holdout_as_told(actor, version) or None,
        "version": {
            "model": version.model.name,
            "version": version.number,
            "digest": f"sha256:{version.digest}" if version.digest else None,
        },
        "aliases": sorted(alias.name for alias in version.aliases.all()),
        "parent": _reference(parent_of(actor, version)),
        "children": [_reference(child) for child in children_of(actor, version)],
        "after": [step.to_json() for step in steps_after(actor, version)],
    }


def parent_of(actor: Actor, version: ModelVersion) -> ModelVersion | None:
    """The version this one was made from, if the actor may see it."""
    if version.parent_id is None:
        return None
    return ModelVersion.objects.visible_to(actor).in_lists().filter(pk=version.parent_id).first()


def children_of(actor: Actor, version: ModelVersion) -> list[ModelVersion]:
    """Versions made from this one that the actor may see, newest first."""
    made = ModelVersion.objects.visible_to(actor).in_lists().filter(parent=version)
    return list(made.order_by("-created_at")[:MOST_CHILDREN])


def _reference(version: ModelVersion | None) -> dict[str, Any] | None:
    return {"model": version.model.name, "version": version.number} if version else None


def creator_of(version: ModelVersion) -> Actor:
    """Whoever registered the version, with the rights they hold now."""
    if version.created_by_id is None:
        return Actor.system()
    return actor_for(Account.objects.select_related("person").get(pk=version.created_by_id), via="system")
