"""What the pages of a model and of a version show about storage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from core.actors import Actor
from registry import rights
from registry.models import ModelVersion, RegisteredModel
from registry.storage.bytes_in_use import bytes_in_use
from registry.storage.forms import QuotaForm
from registry.storage.models import LegalHold
from registry.storage.services import may_hold


def storage_of_models(actor: Actor, models: Sequence[RegisteredModel]) -> dict[Any, dict[str, Any]]:
    """Bytes kept and allowed; a form and the deleted versions for who administers."""
    return {
        model.pk: {
            "use": bytes_in_use(model),
            "default": settings.REGISTRY_MODEL_QUOTA_BYTES,
            "may_administer": rights.may_administer(actor, model),
            "may_see_deleted": rights.may_administer(actor, model) or actor.holds_everywhere("audit"),
            "form": QuotaForm(),
        }
        for model in models
    }


def holds_of_versions(actor: Actor, versions: Sequence[ModelVersion]) -> dict[Any, dict[str, Any]]:
    """The standing hold of each version, and the form for who may place or release one."""
    standing = LegalHold.objects.standing().filter(version__in=versions).select_related("placed_by")
    holds = {hold.version_id: hold for hold in standing}
    shown = {}
    for version in versions:
        hold, may_decide = holds.get(version.pk), may_hold(actor, version)
        if hold or may_decide:
            shown[version.pk] = {"hold": hold, "may_decide": may_decide}
    return shown
