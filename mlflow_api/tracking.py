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
from registry.ownership import seen_through_versions

# A kind of thing, its id, and the id of the person who logged it.
Name = tuple[str, str, str]
COLUMNS = {"run": "run_id", "model": "logged_model_id"}
WHATS = ("read", "change", "refused")
MOST_NAMES = 1000


@csrf_exempt
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """204 when the caller may see a version of each of them that its owner made, else 404.

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


def _question(body: dict[str, Any]) -> tuple[list[Name], str, str]:
    names, what, call = body.get("names"), body.get("what"), body.get("call", "")
    if what not in WHATS:
        raise Invalid("what must be read, change or refused.", field="what", allowed=WHATS)
    if not isinstance(names, list) or len(names) > MOST_NAMES or not all(map(_is_name, names)):
        raise Invalid("names must be a list of (kind, id, owner).", field="names")
    return [(kind, name, owner) for kind, name, owner in names], what, str(call)[:500]


def _is_name(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(isinstance(each, str) for each in value)


def _are_visible(actor: Actor, names: list[Name]) -> bool:
    """Runs and logged models are seen through the versions their owners made of them; experiments are not."""
    if any(kind not in COLUMNS for kind, _, _ in names):
        return False
    for kind, column in COLUMNS.items():
        owners = {name: owner for of, name, owner in names if of == kind}
        if owners and owners.keys() != seen_through_versions(actor, column, owners):
            return False
    return True


def _note_refusal(actor: Actor, names: list[Name], call: str) -> None:
    record_denied(
        actor=actor,
        action="tracking.refused",
        reason="It belongs to somebody else." if names else "It needs another right or scope.",
        extra={"call": call, "names": [f"{kind} {name}" for kind, name, _ in names[:20]]},
    )
