"""Services as commands: one transaction each, whose refusals become events of their own."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar, overload

from django.db import models, transaction

from audit.recording import record_denied
from audit.targets import Target
from core.actors import Actor
from core.errors import DomainError, NotAllowed

P = ParamSpec("P")
R = TypeVar("R")

_depth: ContextVar[int] = ContextVar("audit_command_depth", default=0)


@overload
def command(function: Callable[P, R]) -> Callable[P, R]: ...
@overload
def command(*, refusals: tuple[type[DomainError], ...]) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def command(function: Any = None, *, refusals: tuple[type[DomainError], ...] = (NotAllowed,)) -> Any:
    """Make a service function one transaction, and its refusals denied events.

    The outermost command rolls everything back on a refusal, records it and raises it again.
    ``refusals`` widens what counts (``Conflict`` where a conflict may be an attempt to cheat).
    """

    def decorate(service: Callable[P, R]) -> Callable[P, R]:
        action = f"{service.__module__.split('.')[0]}.{service.__name__}"

        @wraps(service)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            token = _depth.set(_depth.get() + 1)
            try:
                with transaction.atomic():
                    return service(*args, **kwargs)
            except refusals as error:
                if _depth.get() == 1:
                    _deny(action, kwargs, error)
                raise
            finally:
                _depth.reset(token)

        # Tests find the services by this mark; to the types a function has no attributes.
        run.is_command = True  # type: ignore[attr-defined]
        return run

    return decorate(function) if function is not None else decorate


def _deny(action: str, kwargs: dict[str, Any], error: DomainError) -> None:
    actor = kwargs.get("actor")
    if not isinstance(actor, Actor):
        return
    subjects = (each for each in kwargs.values() if isinstance(each, models.Model | Target))
    record_denied(
        actor=actor,
        action=action,
        target=next(subjects, None),
        reason=error.message,
        code=error.code,
        extra=error.extra,
    )
