"""Who answers when somebody wants to move a protected alias: the package that knows approvals."""

from collections.abc import Callable
from typing import Any

from audit.services import record_denied
from core.actors import Actor
from core.errors import Conflict, NotAllowed
from registry.models import ModelVersion, RegisteredModel

Asked = Callable[[Actor, RegisteredModel, str, ModelVersion | None], Any]

_answers: list[Asked] = []
RECORDED_HERE = {"protected_alias", "promotion_required", "promotion_under_way"}


def answer_with(asked: Asked) -> None:
    """Let ``asked(actor, model, alias, version)`` decide; call from ``AppConfig.ready``.

    It moves the alias when an approval allows that at once, and raises a DomainError that
    carries the address of the promotion request otherwise. ``version`` None means removal.
    """
    _answers[:] = [asked]


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
