"""Signing in: allauth's views with our frame, and both outcomes in the ledger."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.http import HttpRequest
from django.utils import timezone

from accounts.actors import actor_for
from accounts.authentication import REAUTHENTICATED, about
from accounts.services import note_sign_in
from core.actors import Actor


class Adapter(DefaultAccountAdapter):
    """Accounts are created by admins: nobody signs up."""

    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "The account or the password is not right.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return "/inbox/"

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """No "you have signed in" banners."""


def signed_in(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    request.session[REAUTHENTICATED] = timezone.now().isoformat()
    note_sign_in(actor=actor_for(user, via="session", **about(request)), account=user, succeeded=True)


def refused(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None:
        note_sign_in(actor=Actor.anonymous(**about(request)), account=None, succeeded=False)


def connect() -> None:
    """Django's own sign-in signals are the only way to hear of both outcomes."""
    user_logged_in.connect(signed_in, dispatch_uid="ledger_sign_in")
    user_login_failed.connect(refused, dispatch_uid="ledger_sign_in_refused")
