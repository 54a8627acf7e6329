"""What a legal hold keeps."""

import uuid
from collections.abc import Sequence

from registry.storage.models import LegalHold


def why_versions_stay(versions: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Versions under legal hold, and the reason given."""
    held = LegalHold.objects.standing().filter(version__in=versions)
    return {
        version: f"is under legal hold ({reason[:200]})"
        for version, reason in held.values_list("version", "reason")
    }
