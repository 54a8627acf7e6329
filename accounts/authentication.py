"""From credentials to an Actor: sessions for pages, tokens for machines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied

from accounts import tokens
from accounts.actors import actor_for
from accounts.models import Account
from accounts.token_lookup import (
    FIND_LIVE,
    NOTE_USE,
    REFUSED,
    actor_of,
    is_use_worth_noting,
    secret_from_header,
)
from audit.recording import DENIED
from core.actors import Actor
from core.doors import PageRequest
from core.hot_reads import fetch_row

# For edge, which counts an account's requests and the events of its refusals, and keeps both to itself.
ACCOUNT = "X-Controlplane-Account"
RECORDED = "X-Controlplane-Recorded"
REAUTHENTICATED = "reauthenticated_at"


class Actors:
    """Middleware: ``request.actor`` from the browser session, anonymous otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: PageRequest) -> HttpResponse:
        request.actor = session_actor(request)
        zone = getattr(request.user, "time_zone", None)
        with timezone.override(zone or "UTC"):
            response = self.get_response(request)
        say_who(request, response)
        return response


def say_who(request: Any, response: HttpResponse) -> None:
    """Whose request it was, and whether a refusal of it has become an event."""
    actor = getattr(request, "actor", None)
    if isinstance(actor, Actor) and actor.is_active and actor.account_id:
        response[ACCOUNT] = str(actor.account_id)
        if actor.extra.get(DENIED):
            response[RECORDED] = "1"


def about(request: Any) -> dict[str, str]:
    """What of the request goes into the ledger."""
    return {
        "request_id": getattr(request, "request_id", ""),
        "address": request.META.get("REMOTE_ADDR", "") or "",
        "user_agent": request.META.get("HTTP_USER_AGENT", "")[:500],
    }


def session_actor(request: HttpRequest) -> Actor:
    account = request.user
    if not account.is_authenticated:
        return Actor.anonymous(**about(request))
    moment = request.session.get(REAUTHENTICATED)
    return actor_for(
        account,
        via="session",
        reauthenticated_at=datetime.fromisoformat(moment) if moment else None,
        **about(request),
    )


def token_actor(secret: str, **context: str) -> Actor | None:
    """The actor behind a live token, or None."""
    if not tokens.looks_right(secret):
        return None
    row = fetch_row(FIND_LIVE, [tokens.sha256_of(secret)])
    if row is None:
        return None
    if is_use_worth_noting(row):
        with connection.cursor() as cursor:
            cursor.execute(NOTE_USE, [row[0]])
    return actor_of(row, **context)


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer cp_…`` or basic with the token as the password."""

    def authenticate(self, request: Any) -> tuple[Account, Actor] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        secret = secret_from_header(header) if header else None
        if secret is None:
            return None
        actor = token_actor(secret, **about(request))
        if actor is None:
            raise AuthenticationFailed(REFUSED)
        request._request.actor = actor
        return Account.objects.select_related("person").get(pk=actor.account_id), actor

    def authenticate_header(self, request: Any) -> str:
        return 'Bearer realm="controlplane"'


class SessionAuthentication(BaseAuthentication):
    """The browser's session, with Django's CSRF check on every unsafe method."""

    def authenticate(self, request: Any) -> tuple[Account, Actor] | None:
        actor: Actor = request._request.actor
        if not actor.is_active:
            return None
        check = CSRFCheck(lambda _: HttpResponse())
        check.process_request(request._request)
        reason = check.process_view(request._request, None, (), {})
        if reason:
            raise PermissionDenied(f"CSRF failed: {reason}")
        return request._request.user, actor
