"""For auditors: from the page of an object to everything that happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from core import panels
from core.actors import Actor

PLACES = ("registry.model.actions", "registry.version.actions")
LAST = 90


def add_audit_links() -> None:
    """Beside the titles of models and versions."""
    for place in PLACES:
        panels.register(place, LAST, audit_links, "workspace/_audit_link.html")


def audit_links(actor: Actor, objects: Sequence[Any]) -> dict[Any, str]:
    """The audit trail's address narrowed to each object; nothing for who may not audit."""
    if not actor.holds_everywhere("audit"):
        return {}
    return {each.pk: f"{reverse('audit-trail')}?{_asked(each)}" for each in objects}


def _asked(target: Any) -> str:
    return urlencode({"object_type": target._meta.label_lower, "object_id": target.pk})
