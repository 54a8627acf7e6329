"""What signing hears from the registry."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from core.events import on
from core.jobs import enqueue
from registry.models import ModelVersion
from registry.services.registration import VERSION_READY
from registry.signing.services import CHECK_SIGNATURE, is_signed


@on(VERSION_READY)
def check_new_version(body: dict[str, Any]) -> None:
    """A version that brings a signature has it checked at once."""
    version = ModelVersion.objects.existing().select_related("model").filter(pk=body["subject_id"]).first()
    if version is not None and is_signed(version):
        with transaction.atomic():
            enqueue(CHECK_SIGNATURE, subject=version, model=version.model)
