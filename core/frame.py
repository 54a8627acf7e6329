"""What every page's frame shows: who is signed in, where one can go, what waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from core.actors import Actor

Count = Callable[[Actor], int]


@dataclass(frozen=True)
class Link:
    """A line of the sidebar; ``right`` hides it from people who would only be refused.

    ``counts`` are added up; one that several lines share is asked once per page.
    """

    order: int
    word: str
    address: str
    icon: str
    key: str = ""
    right: str = ""
    counts: tuple[Count, ...] = ()
    hot: bool = False
    admin: bool = False


_links: list[Link] = []
_pinned: list[Callable[[Actor], list[dict[str, Any]]]] = []


def add_link(link: Link) -> None:
    """Add a line to the sidebar; call from ``AppConfig.ready``."""
    if link not in _links:
        _links.append(link)
        _links.sort(key=lambda each: each.order)


def links() -> list[Link]:
    """Every line of the sidebar, in order."""
    return list(_links)


def add_pinned(load: Callable[[Actor], list[dict[str, Any]]]) -> None:
    """Add models under the sidebar: dictionaries of name, address, icon, class, health."""
    if load not in _pinned:
        _pinned.append(load)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor; everything is read only when a page with the frame is rendered."""
    return {"frame": SimpleLazyObject(lambda: _frame(request))}


def _frame(request: HttpRequest) -> dict[str, Any]:
    actor: Actor = getattr(request, "actor", None) or Actor.anonymous()
    theme = request.COOKIES.get("theme", "")
    shown = [
        link for link in _links if actor.is_active and (not link.right or actor.holds_everywhere(link.right))
    ]
    counted: dict[Count, int] = {}
    return {
        "is_signed_in": actor.is_active,
        "theme": theme if theme in {"light", "dark"} else "",
        "installation": settings.INSTALLATION_NAME,
        "person": actor.account_name,
        "roles": ", ".join(sorted(actor.roles)).replace("-", " ").capitalize() or "No role",
        "links": [_line(link, request, actor, counted) for link in shown if not link.admin],
        "admin_links": [_line(link, request, actor, counted) for link in shown if link.admin],
        "pinned": [model for load in _pinned for model in load(actor)] if actor.is_active else [],
    }


def _line(link: Link, request: HttpRequest, actor: Actor, counted: dict[Count, int]) -> dict[str, Any]:
    for count in link.counts:
        if count not in counted:
            counted[count] = count(actor)
    return {
        "word": link.word,
        "address": link.address,
        "icon": link.icon,
        "key": link.key,
        "hot": link.hot,
        "count": sum(counted[count] for count in link.counts),
        "is_current": request.path.startswith(link.address),
    }
