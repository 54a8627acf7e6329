"""Which models do badly: only packages above know, and say so here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet

from core.actors import Actor

# Answers a QuerySet of one column: the keys of models that do badly.
Judge = Callable[[Actor], QuerySet[Any, Any]]

_judges: dict[str, Judge] = {}


def judge_by(name: str, judge: Judge) -> None:
    """Let ``judge`` say which models are unhealthy; call from ``AppConfig.ready``."""
    _judges[name] = judge


def unhealthy(actor: Actor) -> Q:
    """A condition on models: at least one judge says that they do badly."""
    condition = Q(pk__in=[])
    for judge in _judges.values():
        condition |= Q(pk__in=judge(actor))
    return condition
