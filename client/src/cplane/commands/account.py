"""Signing in and out: the token is typed or piped, never an argument."""

from __future__ import annotations

import sys
from typing import Annotated
from urllib.parse import urlsplit

import typer
from controlplane_client import ControlPlane

from cplane import configuration
from cplane.output import Form, Output, Printer, Quiet
from cplane.session import Url, plane

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def login(
    url: Annotated[str, typer.Argument(help="The installation's address.")],
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the token from standard input.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Sign in with a token made under Settings, Tokens; it is kept for you alone (mode 0600)."""
    place, address = urlsplit(url), url.rstrip("/")
    if place.scheme not in {"http", "https"} or not place.hostname or place.query or place.fragment:
        raise typer.BadParameter("give the address as https://controlplane.example.org")
    if place.username or place.password:
        raise typer.BadParameter("an address holds no password here; the token is asked for")
    if place.scheme == "http" and place.hostname not in LOOPBACK:
        raise typer.BadParameter("a token goes over https, except on this machine")
    typed = sys.stdin.readline() if token_stdin else typer.prompt("Token", hide_input=True, err=True)
    token = configuration.checked(typed, "What was typed" if not token_stdin else "Standard input")
    with ControlPlane(address, token) as client:
        me = client.me()
    kept = configuration.keep(address, token)
    printer = Printer(Form.TABLE, quiet)
    printer.say(
        f"Signed in at {address} as {me.account} ({', '.join(me.roles) or 'no role'}). The token is in {kept}."
    )


def logout(url: Url = None, quiet: Quiet = False) -> None:
    """Forget the token kept here. It stays valid: revoke it under Settings, Tokens."""
    address = (url or configuration.read().get("current") or "").rstrip("/")
    known = configuration.forget(address) if address else False
    words = f"The token for {address} is forgotten here." if known else "No token is kept here."
    Printer(Form.TABLE, quiet).say(words)


def whoami(output: Output = Form.TABLE, quiet: Quiet = False, url: Url = None) -> None:
    """Which account the token acts for, with which rights, until when."""
    with plane(url) as client:
        me = client.me()
        token = me.token or {}
        facts = {
            "installation": client.url,
            "account": me.account,
            "person": me.person,
            "roles": me.roles,
            "rights": me.rights,
            "token": token.get("name"),
            "scopes": token.get("scopes"),
            "expires": token.get("expires_at"),
        }
        Printer(output, quiet).item(me, facts, "account")
