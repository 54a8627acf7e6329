"""Where the objects of events are now: the page of what exists, the record of what was deleted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from core.jobs.models import Job
from registry.models import ModelVersion, RegisteredModel

MODEL, VERSION, JOB = "registry.registeredmodel", "registry.modelversion", "core.job"
PLACES = {
    "approvals.promotionrequest": "/approvals/{id}/",
    "deployments.deployment": "/deployments/{id}/",
    "monitoring_incidents.incident": "/incidents/{id}/",
    "audit.export": "/audit/exports/",
}
IS_ID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
Place = tuple[str, str]


def places_of(targets: Sequence[dict[str, Any]]) -> dict[Place, str]:
    """Address by type and id, for all objects of a page in as many queries as there are kinds."""
    named = {(each["type"], each["id"]) for each in targets if each.get("type") and each.get("id")}
    found = {(kind, key): PLACES[kind].format(id=key) for kind, key in named if kind in PLACES}
    return {**found, **_models(named), **_versions(named), **_jobs(named)}


def _models(named: set[Place]) -> dict[Place, str]:
    """By id, so that a model that was renamed is found; of a deleted one, its deleted versions."""
    rows = RegisteredModel.objects.filter(pk__in=_ids(named, MODEL)).values_list("pk", "name", "deleted_at")
    return {
        (MODEL, str(pk)): f"/deleted-versions/?{urlencode({'model': name})}" if deleted_at else _model(name)
        for pk, name, deleted_at in rows
    }


def _versions(named: set[Place]) -> dict[Place, str]:
    """A deleted version has a page of its own, at its old address while its model exists."""
    rows = ModelVersion.objects.filter(pk__in=_ids(named, VERSION)).select_related("model", "tombstone")
    columns = ("number", "deleted_at", "model__name", "model__deleted_at", "tombstone__id")
    return {(VERSION, str(row.pk)): _version(row) for row in rows.only(*columns)}


def _version(row: ModelVersion) -> str:
    if row.model.deleted_at and row.deleted_at:
        return f"/deleted-versions/{row.tombstone.pk}/" if hasattr(row, "tombstone") else ""
    return f"{_model(row.model.name)}versions/{row.number}/"


def _jobs(named: set[Place]) -> dict[Place, str]:
    rows = Job.objects.filter(pk__in=_ids(named, JOB)).values_list("pk", flat=True)
    return {(JOB, str(pk)): f"/jobs/{pk}/" for pk in rows}


def _ids(named: set[Place], kind: str) -> list[UUID]:
    """What was refused before it had a row has no id to look for."""
    keys = (key for each, key in named if each == kind)
    return [UUID(key) for key in keys if IS_ID.match(key)]


def _model(name: str) -> str:
    return f"/models/{quote(name, safe='')}/"
