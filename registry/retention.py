"""What keeps a version from being deleted, or a model's name from being changed: packages above say what they need."""

import uuid
from collections.abc import Callable, Iterable, Sequence

from registry.models import ALWAYS_PROTECTED, ModelAlias, ModelVersion, ProtectedAlias

Keeper = Callable[[Sequence[uuid.UUID]], dict[uuid.UUID, str]]

NameKeeper = Callable[[uuid.UUID], str]

_keepers: dict[str, Keeper] = {}
_name_keepers: dict[str, NameKeeper] = {}


def keep(name: str, keeper: Keeper) -> None:
    """Ask ``keeper`` before a deletion; call from ``AppConfig.ready``.

    It gets primary keys of versions and answers, for those that must stay, why: a phrase
    that completes "it ...", such as "is live in production".
    """
    _keepers[name] = keeper


def keep_name(name: str, keeper: NameKeeper) -> None:
    """Ask ``keeper`` before a model is renamed; it answers why not, completing "it ...", or nothing."""
    _name_keepers[name] = keeper


def reason_to_keep_name(model: uuid.UUID) -> str:
    """Why the model's name must stay, or an empty text."""
    return next((reason for keeper in _name_keepers.values() if (reason := keeper(model))), "")


def reasons_to_keep(versions: Iterable[ModelVersion]) -> dict[uuid.UUID, str]:
    """For each version that must stay, the reason."""
    ids = [version.pk for version in versions]
    reasons: dict[uuid.UUID, str] = {}
    for keeper in _keepers.values():
        for version_id, reason in keeper(ids).items():
            reasons.setdefault(version_id, reason)
    protected = ALWAYS_PROTECTED | set(ProtectedAlias.objects.values_list("name", flat=True))
    for alias in ModelAlias.objects.filter(version__in=ids, name__in=protected):
        reasons.setdefault(alias.version_id, f"has the protected alias {alias.name}")
    return reasons
