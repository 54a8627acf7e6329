"""Who asks: a token, found in one statement. Browser sessions are not believed here."""

from __future__ import annotations

from typing import Any

from accounts.authentication import about, token_actor
from accounts.token_lookup import REFUSED, secret_from_header
from core.actors import Actor
from mlflow_api.errors import Unauthenticated


def actor_of(request: Any) -> Actor:
    """The actor behind the request's token, or Unauthenticated."""
    secret = secret_from_header(request.META.get("HTTP_AUTHORIZATION", ""))
    if secret is None:
        raise Unauthenticated("Sign in with a token: set MLFLOW_TRACKING_TOKEN.")
    actor = token_actor(secret, **about(request))
    if actor is None:
        raise Unauthenticated(REFUSED)
    return actor
