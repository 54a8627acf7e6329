"""What every page door shares: the request as our middleware leaves it, and signing in first."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

from core.actors import Actor

SIGN_IN = "account_login"


class PageRequest(HttpRequest):
    """The HTTP request with what our middleware adds; for the types alone, none is ever made."""

    actor: Actor
    request_id: str
    htmx: HtmxDetails


def sign_in_required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Send people without a live session to the sign-in page, and back afterwards."""

    @wraps(view)
    def guarded(request: PageRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.actor.is_active:
            return HttpResponseRedirect(f"{reverse(SIGN_IN)}?{urlencode({'next': _way_back(request)})}")
        return view(request, *args, **kwargs)

    return guarded


def _way_back(request: HttpRequest) -> str:
    """Where to go after signing in: what was asked for, or the page that a form was sent from."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    messages.warning(request, "You were signed out, so nothing was changed. Do it again.")
    try:
        page = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return "/"
    if page.netloc != request.get_host():
        return "/"
    return f"{page.path}?{page.query}" if page.query else page.path
