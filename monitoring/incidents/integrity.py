"""An incident about stored files: which one, who still answers from it, and whether it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.actors import Actor, holds
from core.object_store.interface import place_of
from deployments.models import Deployment
from monitoring.incidents.models import Incident
from registry.changed import ChangedFile, changed_file
from registry.models import ModelVersion
from registry.services.integrity import MAY_VERIFY

INTEGRITY = "integrity"


@dataclass(frozen=True)
class StoredFiles:
    """What is known now; ``changed`` is None once every file was found as registered again."""

    version: ModelVersion
    changed: ChangedFile | None
    serving: Sequence[Deployment]
    may_verify: bool

    @property
    def place(self) -> str:
        """Where in the object store the file has to lie."""
        return place_of(self.changed.registered) if self.changed and self.changed.path else ""

    @property
    def where(self) -> str:
        return ", ".join(each.endpoint.environment.name for each in self.serving)


def stored_files_of(actor: Actor, incident: Incident) -> StoredFiles | None:
    """Nothing for an incident with another cause."""
    version = incident.version
    if incident.cause != INTEGRITY or version is None:
        return None
    serving = Deployment.objects.in_lists().wanting_scorer().filter(version=version)
    may_verify = any(holds(actor, right, version.model) for right in MAY_VERIFY)
    return StoredFiles(version, changed_file(version), list(serving), may_verify)


def incidents_of_changed(actor: Actor, versions: Sequence[ModelVersion]) -> dict[Any, Incident]:
    """For each version with changed files the open incident about it."""
    changed = [each.pk for each in versions if not each.is_intact]
    rows = Incident.objects.visible_to(actor).open().filter(version__in=changed, cause=INTEGRITY)
    return {each.version_id: each for each in rows.select_related("handler__person")} if changed else {}
