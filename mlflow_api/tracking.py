"""Edge's question: may this caller see these runs, experiments and logged models of others?"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from audit.services import record_denied
from core.actors import Actor
from core.errors import DomainError, Invalid
from mlflow_api.authentication import actor_of
from mlflow_api.errors import as_answer
from mlflow_api.json import loads
from registry.models import ModelVersion

WHATS = ("read", "change", "refused")
MOST_NAMES = 1000


@csrf_exempt
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """204 when a registered model the caller may see has a version from each of them, else 404.

    A refusal becomes an event. Edge asks only about things that exist and belong to others; it
    lets nobody from outside reach this address.
    """
    try:
        actor = actor_of(request)
        names, what, call = _question(loads(request.body))
    except DomainError as error:
        return as_answer(error)
    is_seen = what != "refused" and _are_visible(actor, names)
    if not is_seen:
        _note_refusal(actor, names, call)
    return HttpResponse(status=204 if is_seen or what == "refused" else 404)


def _question(body: dict[str, Any]) -> tuple[list[tuple[str, str]], str, str]:
    names, what, call = body.get("names"), body.get("what"), body.get("call", "")
    if what not in WHATS:
        raise Invalid("what must be read, change or refused.", field="what", allowed=WHATS)
    if not isinstance(names, list) or len(names) > MOST_NAMES or not all(map(_is_pair, names)):
        raise Invalid("names must be a list of (kind, id).", field="names")
    return [(kind, name) for kind, name in names], what, str(call)[:500]


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value)


def _are_visible(actor: Actor, names: list[tuple[str, str]]) -> bool:
    """Runs and logged models are seen through the versions made from them; experiments are not."""
    runs = {name for kind, name in names if kind == "run"}
    models = {name for kind, name in names if kind == "model"}
    if len(runs) + len(models) != len(set(names)):
        return False
    versions = ModelVersion.objects.visible_to(actor).ready()
    seen_runs = set(versions.filter(run_id__in=runs).values_list("run_id", flat=True)) if runs else set()
    seen_models = versions.filter(logged_model_id__in=models).values_list("logged_model_id", flat=True)
    return runs <= seen_runs and models <= (set(seen_models) if models else set())


def _note_refusal(actor: Actor, names: list[tuple[str, str]], call: str) -> None:
    record_denied(
        actor=actor,
        action="tracking.refused",
        reason="It belongs to somebody else." if names else "It needs another right or scope.",
        extra={"call": call, "names": [f"{kind} {name}" for kind, name in names[:20]]},
    )
