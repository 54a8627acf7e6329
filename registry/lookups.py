"""Finding what an address names, among what the caller may see."""

from typing import Any

from accounts.sight import require_sight
from core.errors import NotFound
from registry.models import ModelVersion, RegisteredModel
from registry.storage.models import Tombstone


def find_model(request: Any, name: str) -> RegisteredModel:
    """The model of this name, or 404 alike for what is not there and what may not be seen."""
    require_sight(request.actor)
    models = RegisteredModel.objects.visible_to(request.actor).select_related("owner", "on_call")
    model = models.named(name).prefetch_related("tags", "aliases__version").first()
    if model is None:
        raise NotFound(f"There is no registered model named {name[:256]!r}.")
    return model


def find_version(request: Any, name: str, number: int) -> ModelVersion:
    """The version of this number, with its model."""
    model = find_model(request, name)
    versions = ModelVersion.objects.visible_to(request.actor).select_related("created_by")
    version = versions.prefetch_related("tags", "aliases").filter(model=model, number=number).first()
    if version is None:
        raise _no_version(model, number)
    version.model = model
    return version


def _no_version(model: RegisteredModel, number: int) -> NotFound:
    """What never was, or what was deleted: the second has a page that says by whom and why."""
    known = Tombstone.objects.filter(version__model=model)
    stone = known.filter(number=number).first() if int(number) < 2**31 else None
    if stone is None:
        return NotFound(f"{model} has no version {number}.")
    stone.version.model = model
    return NotFound(
        f"{model} v{number} was deleted on {stone.deleted_at:%-d %B %Y}.",
        code="version_deleted",
        extra={"tombstone": stone.address},
    )
