"""What uploads hear from the registry."""

from __future__ import annotations

from typing import Any

from core.actors import Actor
from core.events import on
from registry.models import ModelVersion
from registry.services.registration import VERSION_READY
from registry.sources import parse_source
from registry.uploads.models import Upload
from registry.uploads.services import forget_upload


@on(VERSION_READY)
def forget_what_became_a_version(body: dict[str, Any]) -> None:
    """Its bytes are the version's now: nothing is under way, and nothing kept twice."""
    version = ModelVersion.objects.get(pk=body["subject_id"])
    if not version.source.startswith("uploads:/"):
        return
    waiting = ModelVersion.objects.existing().filter(source=version.source)
    if waiting.filter(status=ModelVersion.Status.PENDING_REGISTRATION).exists():
        return  # sent twice: the last one that is made of it ends it
    upload = Upload.objects.filter(pk=parse_source(version.source).owner).select_related("model").first()
    if upload is not None:
        forget_upload(actor=Actor.system(), upload=upload)
