"""An answer is repeated only to who may still have it: the same caller, who still sees what it speaks of."""

from __future__ import annotations

import copy
import hashlib
from typing import Any
from urllib.parse import quote, unquote

from django.http import HttpRequest, QueryDict
from django.urls import Resolver404, ResolverMatch, resolve

from core.actors import Actor
from core.api.models import IdempotentAnswer
from core.errors import NotFound

ROOT = "/api/v1"
UNSEEN = frozenset({401, 403, 404})
NOT_OF_A_READ = ("HTTP_IDEMPOTENCY_KEY", "HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "CONTENT_TYPE")


def caller_class(actor: Actor) -> str:
    """Who asks with what: a session, or a token of these scopes, and what its roles give it everywhere.

    Another class is another caller: its key is a key of its own, and the request is done afresh.
    """
    scopes = "session" if actor.scopes is None else " ".join(sorted(actor.scopes))
    said = "\x1f".join([actor.via, scopes, " ".join(sorted(actor.rights))])
    return hashlib.sha256(said.encode()).hexdigest()


def require_still_seen(request: Any, kept: IdempotentAnswer, also: list[str]) -> None:
    """Read what the answer speaks of as the caller would, or NotFound when one may not (any more)."""
    if not kept.body:
        return  # it says nothing
    addresses = {*also, *_place_of(request.path)}
    if location := kept.headers.get("Location"):
        addresses.add(location)
    for address in sorted(addresses):
        if _status(request, address) in UNSEEN:
            raise NotFound("What the first answer spoke of does not exist, or you may not see it.")


def _place_of(path: str) -> list[str]:
    """The outermost thing the path names: rights are given on it, and it outlives what is inside."""
    parts = path.removeprefix(ROOT).strip("/").split("/")
    for count in range(1, len(parts) + 1):
        address = "/".join([ROOT, *(quote(each, safe="") for each in parts[:count])])
        match = _resolved("/".join([ROOT, *parts[:count]]))
        if match is not None and match.kwargs and "get" in getattr(match.func, "actions", {}):
            return [address]
    return []


def _resolved(path: str) -> ResolverMatch | None:
    try:
        return resolve(path)
    except Resolver404:
        return None


def _status(request: Any, address: str) -> int:
    """What a GET of the address answers to this caller, asked of the view itself."""
    path, _, query = address.partition("?")
    path = unquote(path)
    match = _resolved(path)
    if match is None:
        return 404
    asked: HttpRequest = copy.copy(request._request)
    asked.method, asked.path, asked.path_info = "GET", path, path
    asked.META = {name: value for name, value in asked.META.items() if name not in NOT_OF_A_READ}
    asked.META |= {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "CONTENT_LENGTH": "0"}
    asked.__dict__.pop("headers", None)
    asked.__dict__["GET"] = QueryDict(query)
    asked._body = b""  # type: ignore[attr-defined]
    answer = match.func(asked, *match.args, **match.kwargs)
    return int(answer.status_code)
