"""What every page door shares: the request as our middleware leaves it, and signing in first."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

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
            return HttpResponseRedirect(f"{reverse(SIGN_IN)}?{urlencode({'next': request.get_full_path()})}")
        return view(request, *args, **kwargs)

    return guarded
