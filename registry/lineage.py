"""Where a version comes from: data, code and run, as the actor may see them."""

from __future__ import annotations

from typing import Any

from core.actors import Actor
from registry.models import ModelVersion


def lineage_of(actor: Actor, version: ModelVersion) -> dict[str, Any]:
    """Data set versions, code, run and the version itself, oldest first."""
    return {
        "datasets": [],
        "code": {"commit": version.code_commit} if version.code_commit else None,
        "run": {**version.run, "id": version.run_id} if version.run_id else None,
        "logged_model": version.logged_model_id or None,
        "holdout": version.holdout or None,
        "version": {
            "model": version.model.name,
            "version": version.number,
            "digest": f"sha256:{version.digest}" if version.digest else None,
        },
        "aliases": sorted(alias.name for alias in version.aliases.all()),
    }
