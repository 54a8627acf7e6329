"""Who answers when somebody wants to move a protected alias: the package that knows approvals."""

from collections.abc import Callable
from typing import Any

from audit.services import record_denied
from core.actors import Actor
from core.errors import Conflict, NotAllowed
from registry.models import ModelVersion, RegisteredModel

Asked = Callable[[Actor, RegisteredModel, str, ModelVersion | None], Any]
AskedAt = Callable[[ModelVersion, str], str]

_answers: list[Asked] = []
_addresses: list[AskedAt] = []
RECORDED_HERE = {"protected_alias", "promotion_required", "promotion_under_way"}


def answer_with(asked: Asked, at: AskedAt) -> None:
    """Let ``asked(actor, model, alias, version)`` decide; call from ``AppConfig.ready``.

    It moves the alias when an approval allows that at once, and raises a DomainError that
    carries the address of the promotion request otherwise. ``version`` None means removal.
    ``at(version, alias)`` is the page on which a person asks, or empty where nothing follows the alias.
    """
    _answers[:], _addresses[:] = [asked], [at]


def address_to_ask(version: ModelVersion, alias: str) -> str:
    """Where a person asks that a protected alias move to the version; empty where nobody can."""
    return _addresses[0](version, alias) if _addresses else ""


def ask_to_move(actor: Actor, model: RegisteredModel, alias: str, version: ModelVersion | None) -> None:
    """Move a protected alias if approvals allow; a refusal says where to ask, and is an event."""
    try:
        _ask(actor, model, alias, version)
    except (NotAllowed, Conflict) as error:
        if error.code in RECORDED_HERE:  # else a service refused, and has recorded that itself
            record_denied(
                actor=actor,
                action="registry.alias_set",
                target=model,
                reason=error.message,
                code=error.code,
                extra={"alias": alias, "version": version.number if version else None},
            )
        raise


def _ask(actor: Actor, model: RegisteredModel, alias: str, version: ModelVersion | None) -> None:
    if not _answers:
        raise NotAllowed(
            f"The alias {alias} of {model} is protected: it follows the approved, live version."
            " Request a promotion instead.",
            code="protected_alias",
        )
    _answers[0](actor, model, alias, version)
