"""Which roles may roll an endpoint back: said by the package that knows policies."""

from __future__ import annotations

from collections.abc import Callable

from deployments.models import Endpoint

Asked = Callable[[Endpoint], frozenset[str]]

_answers: list[Asked] = []


def answer_with(asked: Asked) -> None:
    """Let ``asked(endpoint)`` name the roles (none named: no limit); call from ``AppConfig.ready``."""
    _answers[:] = [asked]


def roles_for_rollback(endpoint: Endpoint) -> frozenset[str]:
    """The roles a policy keeps rollbacks of this endpoint to; empty when it names none."""
    return _answers[0](endpoint) if _answers else frozenset()
