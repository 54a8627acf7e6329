"""Finding what an address names, among what the caller may see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from accounts.sight import require_sight
from core.errors import Invalid, NotFound
from pipelines.models import DataContract, Dataset, DatasetVersion, Pipeline, PipelineRun


def find_dataset(request: Any, name: str) -> Dataset:
    """404 alike for what is not there and what may not be seen."""
    require_sight(request.actor)
    rows = Dataset.objects.visible_to(request.actor).select_related("owner", "created_by")
    dataset = rows.filter(name=name.replace("\x00", "")).first()
    if dataset is None:
        raise NotFound(f"There is no data set named {name[:100]!r}.")
    return dataset


def find_dataset_version(request: Any, name: str, number: int) -> DatasetVersion:
    dataset = find_dataset(request, name)
    rows = dataset.versions.select_related("created_by")
    version = rows.filter(number=number).first() if int(number) < 2**31 else None
    if version is None:
        raise NotFound(f"{dataset} has no version {number}.")
    version.dataset = dataset
    return version


def find_contract(request: Any, name: str, revision: str = "") -> DataContract:
    """One revision of a data set's contract; the newest when none is named."""
    dataset = find_dataset(request, name)
    rows = dataset.contracts.select_related("created_by").order_by("-revision")
    if revision:
        rows = rows.filter(revision=whole_number(revision, "revision"))
    contract = rows.first()
    if contract is None:
        what = (
            f"has no revision {revision}"
            if revision and DataContract.objects.newest_of(dataset)
            else "is not there"
        )
        raise NotFound(f"The contract of {dataset} {what}.")
    contract.dataset = dataset
    return contract


def whole_number(value: str, field: str) -> int:
    """A number of an address's query, or Invalid naming it."""
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Invalid(f"{field} must be a whole number.", field=field, allowed="a whole number")
    return int(value)


def one_of(value: str, field: str, allowed: Iterable[str]) -> str:
    """A choice of an address's query, empty when it is not made; Invalid naming what may be chosen."""
    words = list(allowed)
    if value and value not in words:
        raise Invalid(f"{field} must be one of: {', '.join(words)}.", field=field, allowed=", ".join(words))
    return value


def find_pipeline(request: Any, name: str) -> Pipeline:
    pipeline = Pipeline.objects.visible_to(request.actor).filter(name=name.replace("\x00", "")).first()
    if pipeline is None:
        raise NotFound(f"There is no pipeline named {name[:100]!r}.")
    return pipeline


def find_run(request: Any, name: str, key: UUID | str) -> PipelineRun:
    pipeline = find_pipeline(request, name)
    runs = PipelineRun.objects.visible_to(request.actor).select_related("pipeline", "started_by")
    run = runs.filter(pipeline=pipeline, pk=key).first()
    if run is None:
        raise NotFound(f"{pipeline} has no run {key}.")
    return run
