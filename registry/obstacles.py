"""What stands in the way of a promotion and only packages above know: policies, and requests under way."""

from collections.abc import Callable, Sequence

from core.actors import Actor
from registry.answers import Answer
from registry.models import ModelVersion

Asked = Callable[[Actor, ModelVersion], Sequence[Answer]]

_asked: dict[str, Asked] = {}


def ask_also(name: str, asked: Asked) -> None:
    """Let ``asked(actor, version)`` tell what it knows of a ready version; call from ``AppConfig.ready``."""
    _asked[name] = asked


def obstacles_of(actor: Actor, version: ModelVersion) -> list[Answer]:
    """Everything that packages above hold against promoting the version."""
    if not version.is_ready:
        return []
    return [answer for asked in _asked.values() for answer in asked(actor, version)]
