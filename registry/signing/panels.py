"""What the page of a version shows about its signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.actors import Actor, holds
from registry.models import ModelVersion
from registry.services.integrity import MAY_VERIFY
from registry.signing.models import VersionSignature
from registry.signing.services import is_signed


def signatures_of_versions(actor: Actor, versions: Sequence[ModelVersion]) -> dict[Any, dict[str, Any]]:
    """Signed by whom and whether it holds, or that there is no signature."""
    found = {
        row.version_id: row
        for row in VersionSignature.objects.filter(version__in=versions).select_related("key")
    }
    return {
        version.pk: {
            "signature": found.get(version.pk),
            "is_signed": is_signed(version),
            "may_check": any(holds(actor, right, version.model) for right in MAY_VERIFY),
        }
        for version in versions
        if version.is_ready
    }
