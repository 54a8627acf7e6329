"""The client of the current installation, and the words people use for versions."""

from __future__ import annotations

from typing import Annotated

import typer
from controlplane_client import ControlPlane, ControlPlaneError

from cplane import configuration

Url = Annotated[
    str | None,
    typer.Option("--url", help="Another installation you are signed in at.", show_default=False),
]
VERSION_HELP = "A number, an alias as @champion, or latest."
QUICK = 2.0


def plane(url: str | None = None, *, timeout: float = 60) -> ControlPlane:
    found = configuration.current(url.rstrip("/") if url else None)
    return ControlPlane(found.url, found.token, timeout=timeout)


def number_of(client: ControlPlane, model: str, word: str) -> int:
    """41, v41, @champion and latest as the number of a version."""
    digits = word.removeprefix("v")
    if digits.isascii() and digits.isdecimal():
        return int(digits)
    found = client.models.get(model)
    if word == "latest" and found.latest_version is not None:
        return found.latest_version
    number = found.aliases.get(word.removeprefix("@")) if word.startswith("@") else None
    if number is None:
        raise ControlPlaneError(
            {"status": 404, "code": "not_found", "detail": f"{model} has no version {word}. {VERSION_HELP}"}
        )
    return number


def complete_model(incomplete: str) -> list[str]:
    """Names for the shell; silent when nobody is signed in or nothing answers."""
    try:
        with plane(timeout=QUICK) as client:
            found = client.call("GET", "/api/v1/models", params={"limit": 50, "q": incomplete})
    except ControlPlaneError:
        return []
    return [each["name"] for each in found["items"] if each["name"].startswith(incomplete)]


Model = Annotated[str, typer.Argument(help="The registered model's name.", autocompletion=complete_model)]
Version = Annotated[str, typer.Argument(help=VERSION_HELP)]
