"""Format and scanners, on the version's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.actors import Actor, holds
from registry.models import ModelVersion
from registry.scans.models import Scan
from registry.scans.words import Shown, shown
from registry.services.integrity import MAY_VERIFY


def scans_of_versions(actor: Actor, versions: Sequence[ModelVersion]) -> dict[Any, Shown]:
    """For each ready version its newest scan, in words; not scanned is not clean."""
    newest: dict[Any, Scan] = {}
    for scan in Scan.objects.filter(version__in=versions).newest_first():
        newest.setdefault(scan.version_id, scan)
    return {
        version.pk: shown(
            newest.get(version.pk),
            version,
            may_scan=any(holds(actor, right, version.model) for right in MAY_VERIFY),
        )
        for version in versions
        if version.is_ready
    }
