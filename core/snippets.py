"""Code that people copy from a page into a notebook or a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from django.conf import settings

TOKEN = "cp_…"  # noqa: S105 - where the reader's own goes


@dataclass(frozen=True)
class Snippet:
    """Some lines of code and what they are for."""

    title: str
    code: str


def curl(path: str, *options: str) -> str:
    """A request by REST, with the reader's token taken from the environment."""
    lines = ['-H "Authorization: Bearer $CPLANE_TOKEN"', *options, f'"{settings.PUBLIC_URL}{path}"']
    return "curl -sS " + " \\\n  ".join(lines)


def environment(*names: str) -> str:
    """The lines that name this installation and the token."""
    known = {
        "MLFLOW_TRACKING_URI": settings.PUBLIC_URL,
        "MLFLOW_TRACKING_TOKEN": TOKEN,
        "CPLANE_URL": settings.PUBLIC_URL,
        "CPLANE_TOKEN": TOKEN,
    }
    return "\n".join(f"export {name}={known[name]}" for name in names)


def in_path(name: str) -> str:
    """A name as one part of an address."""
    return quote(name, safe="")
