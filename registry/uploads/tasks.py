"""The worker's door: forgetting uploads that nobody went on with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.actors import Actor
from core.jobs import Lease, job, periodic
from registry.uploads import services


@periodic("registry.forget_uploads", every=timedelta(days=1))
@job("registry.forget_uploads", limit=timedelta(minutes=5))
def forget_uploads(lease: Lease) -> dict[str, Any]:
    return {"uploads": services.forget_uploads(actor=Actor.system(lease))}
