"""``{% saved_views "models" %}`` beside the filters of a list page."""

from __future__ import annotations

from typing import Any

from django import template

from workspace.saved_views.list_pages import LIST_PAGES, query_of
from workspace.saved_views.models import LONGEST_NAME, SavedView

register = template.Library()


@register.inclusion_tag("components/saved_views.html", takes_context=True)
def saved_views(context: dict[str, Any], key: str) -> dict[str, Any]:
    """The reader's own views of the page, and a form to keep the one that is shown."""
    request, page = context["request"], LIST_PAGES[key]
    views = list(SavedView.objects.visible_to(request.actor).existing().filter(page=key).order_by("name"))
    query = query_of(page, request.GET)
    shown = next((view for view in views if view.query == query), None)
    return {
        "request": request,
        "csrf_token": context.get("csrf_token"),
        "page": page,
        "views": views,
        "shown": shown,
        "query": query if not shown else "",
        "longest": LONGEST_NAME,
    }
