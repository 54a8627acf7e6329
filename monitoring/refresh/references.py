"""Making a version's reference from the data it was trained on."""

from __future__ import annotations

import uuid
from array import array
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from core.jobs import Lease
from core.object_store import store
from monitoring.compute.references import make_reference
from monitoring.held_out import held_out_scores
from monitoring.models import Reference
from monitoring.services import request_refresh
from pipelines import contracts
from pipelines.models import DataContract, DatasetVersion
from registry.models import ModelVersion, VersionDataset

NUMBERS = frozenset({"integer", "number"})


def ready_references(versions: Iterable[uuid.UUID]) -> dict[uuid.UUID, Reference]:
    """The references that can be compared with, by version."""
    rows = Reference.objects.filter(version__in=versions, status=Reference.Status.READY)
    return {row.version_id: row for row in rows}


def build_reference(lease: Lease, version: ModelVersion) -> dict[str, Any]:
    """Sketch the training data set versions of a version and keep that as its reference."""
    reference = Reference.objects.get(version=version)
    if reference.status != Reference.Status.PENDING:
        return {"status": reference.status}
    data = training_data(version)
    if not data:
        why = (
            "The version names no training data set version, so there is nothing to compare its inputs with."
        )
        return _end(lease, reference, Reference.Status.UNAVAILABLE, failure=why)
    inputs = input_names(version)
    lease.progress(20, "Sketching the training data")
    held_out = held_out_scores(version)
    with store().local_files() as files:
        made = make_reference(
            [files.of(each.digest) for each in data],
            inputs,
            scores=_scores(held_out.digest) if held_out else None,
            **_expectations(data[-1], inputs),
        )
    if not made.frame.columns:
        why = "None of the version's inputs is a column of its training data."
        return _end(lease, reference, Reference.Status.UNAVAILABLE, failure=why)
    return _end(
        lease,
        reference,
        Reference.Status.READY,
        dataset=_words(data),
        frame=made.frame.to_json(),
        frame_key=made.frame.key,
        sketch=made.sketch.to_bytes(),
        profile=made.profile,
        rows=made.rows,
        score_source=held_out.words if held_out else "",
        ready_at=Now(),
    )


def training_data(version: ModelVersion) -> list[DatasetVersion]:
    """The data a version was trained on, or what it names as its reference instead."""
    uses = list(
        VersionDataset.objects.filter(version=version)
        .select_related("dataset_version__dataset")
        .order_by("dataset_version__number")
    )
    for role in ("reference", "training"):
        data = [use.dataset_version for use in uses if use.role == role and use.dataset_version.digest]
        if data:
            return data
    return []


def input_names(version: ModelVersion) -> list[str]:
    """The columns of the version's input signature."""
    inputs = (version.signature or {}).get("inputs") or []
    return [str(column["name"]) for column in inputs if isinstance(column, dict) and column.get("name")]


def _scores(digest: str) -> list[float]:
    kept = array("d")
    with store().open(digest) as content:
        kept.frombytes(content.read())
    return kept.tolist()


def _expectations(data: DatasetVersion, inputs: list[str]) -> dict[str, Any]:
    """Ranges and allowed values of the data contract, which say more than what was seen."""
    contract = DataContract.objects.newest_of(data.dataset)
    if contract is None:
        return {}
    rules = [rule for rule in contracts.parse(contract.document).columns if rule.name in inputs]
    return {
        "ranges": {rule.name: (rule.minimum, rule.maximum) for rule in rules if rule.type in NUMBERS},
        "categories": {rule.name: [str(each) for each in rule.allowed] for rule in rules if rule.allowed},
    }


def _words(data: list[DatasetVersion]) -> str:
    names = [f"{each.dataset.name} {each.label or f'v{each.number}'}" for each in data]
    return (
        names[0]
        if len(names) == 1
        else f"{names[0]} to {names[-1].removeprefix(data[-1].dataset.name + ' ')}"
    )[:300]


def _end(lease: Lease, reference: Reference, status: str, **fields: Any) -> dict[str, Any]:
    """Keep the outcome, and have every endpoint of the model read its log with it."""
    lease.check()
    with transaction.atomic():
        reference.move_to(status, **fields)
        for endpoint in reference.version.model.endpoints.select_related("model", "environment"):
            if endpoint.deployments.filter(version=reference.version).exists():
                request_refresh(endpoint)
    return {"status": status, "columns": len(fields.get("profile", {})), "failure": fields.get("failure", "")}
