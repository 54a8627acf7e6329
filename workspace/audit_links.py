"""For auditors: from the page of an object to everything that happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from audit.targets import Target
from core import panels
from core.actors import Actor

PLACES = (
    "registry.model.actions",
    "registry.version.actions",
    "registry.run.actions",
    "approvals.request.actions",
    "pipelines.dataset.actions",
)
LAST = 90


def add_audit_links() -> None:
    """Beside the titles of what events are about."""
    for place in PLACES:
        panels.register(place, LAST, audit_links, "workspace/_audit_link.html")


def audit_links(actor: Actor, objects: Sequence[Any]) -> dict[Any, str]:
    """The audit trail's address narrowed to each object; nothing for who may not audit."""
    if not actor.holds_everywhere("audit"):
        return {}
    return {each.pk: f"{reverse('audit-trail')}?{_asked(each)}" for each in objects}


def _asked(target: Any) -> str:
    about = Target.of(target)
    return urlencode({"object_type": about.type, "object_id": about.id})
