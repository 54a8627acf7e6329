"""The worker's door: checking a signature on a proven copy of the files."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from core.actors import Actor
from core.jobs import Lease, job
from registry.integrity import materialise
from registry.models import ModelVersion
from registry.signing import services
from registry.signing.models import TrustedKey
from registry.signing.services import CHECK_SIGNATURE, SIGNATURE_FILE

CHECKING = "registry.signing.compute.checking"
LARGEST_SIGNATURE = 8 << 20


@job(CHECK_SIGNATURE, subject=ModelVersion, limit=timedelta(minutes=30))
def check_signature(lease: Lease, version: ModelVersion) -> dict[str, Any]:
    """Whether ``model.sig`` holds for a trusted key and over every file of the version."""
    actor = Actor.system(lease)
    signature = next((each for each in version.manifest if each["path"] == SIGNATURE_FILE), None)
    if signature is None or version.deleted_at is not None:
        return {"outcome": "unsigned"}
    if signature["size"] > LARGEST_SIGNATURE:
        finding = f"{SIGNATURE_FILE} is larger than {LARGEST_SIGNATURE} bytes."
        return _noted(actor, version, False, None, finding)
    keys = {key.name: key for key in TrustedKey.objects.in_use()}
    with tempfile.TemporaryDirectory(prefix="signature-") as name:
        lease.progress(10, "Copying and hashing the files")
        folder = materialise(version, Path(name) / "model", actor=actor)
        lease.progress(70, "Checking the signature")
        # Imported by the worker alone: the library takes seconds and brings a network client.
        verdict = import_module(CHECKING).check(
            folder,
            {each["path"]: each["sha256"] for each in version.manifest},
            {key.name: key.public_key for key in keys.values()},
        )
    lease.check()
    return _noted(actor, version, verdict.is_verified, keys.get(verdict.key), verdict.finding)


def _noted(
    actor: Actor, version: ModelVersion, is_verified: bool, key: TrustedKey | None, finding: str
) -> dict[str, Any]:
    row = services.note_signature(
        actor=actor, version=version, is_verified=is_verified, key=key, finding=finding
    )
    return {"outcome": row.outcome, "key": key.name if key else None, "finding": row.finding}
