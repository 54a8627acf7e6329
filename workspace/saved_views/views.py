"""What the list pages' forms about views do; each leads back to the list."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from core.doors import PageRequest, sign_in_required
from core.errors import Conflict, Invalid, NotFound
from workspace.saved_views import services
from workspace.saved_views.list_pages import LIST_PAGES, find_list_page
from workspace.saved_views.models import SavedView


@sign_in_required
@require_POST
def save(request: PageRequest) -> HttpResponse:
    """Keep what the list shows; after a refusal the list shows it still."""
    sent = {name: request.POST.get(name, "") for name in ("page", "name", "query")}
    page = find_list_page(request.actor, sent["page"])
    try:
        view = services.save_view(actor=request.actor, **sent)
    except (Invalid, Conflict) as error:
        if error.field not in {"name", None}:
            raise
        messages.error(request, f"The view is not saved. {error}")
        return redirect(f"{page.address}?{sent['query']}")
    messages.success(request, f"The view {view.name} is saved. Only you see it.")
    return redirect(address_of(view))


@sign_in_required
@require_POST
def delete(request: PageRequest, pk: str) -> HttpResponse:
    """Take a view away; the message can bring it back."""
    view = services.delete_view(actor=request.actor, view=_found(request, pk))
    undo = reverse("saved-views:restore", args=[view.pk])
    messages.success(request, f"The view {view.name} is deleted.", extra_tags=undo)
    return redirect(LIST_PAGES[view.page].address)


@sign_in_required
@require_POST
def restore(request: PageRequest, pk: str) -> HttpResponse:
    """Bring a deleted view back and show it."""
    found = _found(request, pk)
    try:
        view = services.restore_view(actor=request.actor, view=found)
    except Conflict as error:
        messages.error(request, str(error))
        return redirect(LIST_PAGES[found.page].address)
    messages.success(request, f"The view {view.name} is back.")
    return redirect(address_of(view))


def address_of(view: SavedView) -> str:
    return f"{LIST_PAGES[view.page].address}?{view.query}"


def _found(request: PageRequest, pk: str) -> SavedView:
    view = SavedView.objects.visible_to(request.actor).filter(pk=pk, page__in=LIST_PAGES).first()
    if view is None:
        raise NotFound("There is no such view.")
    return view
