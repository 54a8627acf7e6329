"""Who asks: a token, found in one statement. Browser sessions are not believed here."""

from __future__ import annotations

from threading import Lock
from typing import Any

from cachetools import TTLCache

from accounts.authentication import about, token_actor
from accounts.token_lookup import REFUSED, secret_from_header
from core.actors import Actor
from mlflow_api.errors import Unauthenticated

_known_holding: TTLCache[Any, dict[Any, Any]] = TTLCache(10_000, ttl=60)
_lock = Lock()


def actor_of(request: Any) -> Actor:
    """The actor behind the request's token, or Unauthenticated."""
    secret = secret_from_header(request.META.get("HTTP_AUTHORIZATION", ""))
    if secret is None:
        raise Unauthenticated("Sign in with a token: set MLFLOW_TRACKING_TOKEN.")
    actor = token_actor(secret, **about(request))
    if actor is None:
        raise Unauthenticated(REFUSED)
    actor.extra["holding"] = _holding(actor)
    return actor


def _holding(actor: Actor) -> dict[Any, Any]:
    """Which statement of the rule of grants is the faster one for somebody: both are right, so it may be old."""
    with _lock:
        return _known_holding.setdefault((actor.person_id, actor.group_ids), {})
