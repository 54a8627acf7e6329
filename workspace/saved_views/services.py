"""Keeping, deleting and bringing back views of list pages. Everybody has only their own."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from accounts.models import Person
from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, NotAllowed, NotFound
from core.text import checked_text
from workspace.saved_views.list_pages import checked_query, find_list_page
from workspace.saved_views.models import LONGEST_NAME, SavedView

MOST_PER_PAGE = 20
KEPT_AFTER_DELETION = timedelta(days=30)


@command
def save_view(*, actor: Actor, page: str, name: str, query: str) -> SavedView:
    """Keep the filters and order of a list page under a name."""
    _lock(actor)
    listed = find_list_page(actor, page)
    name = " ".join(checked_text(name, "name", LONGEST_NAME, min_length=1).split())
    query = checked_query(listed, query)
    _require_room(actor, page, name)
    view = SavedView.objects.create(person_id=actor.person_id, page=page, name=name, query=query)
    record(actor=actor, action="workspace.view_saved", target=view, after={"page": page, "query": query})
    return view


@command
def delete_view(*, actor: Actor, view: SavedView) -> SavedView:
    """Take a view away; for a while it can be brought back."""
    own = _locked(actor, view)
    if own.deleted_at is not None:
        raise Conflict(f"The view {own.name} is deleted already.")
    SavedView.objects.visible_to(actor).filter(deleted_at__lt=Now() - KEPT_AFTER_DELETION).delete()
    _set_deleted(own, Now())
    record(
        actor=actor,
        action="workspace.view_deleted",
        target=own,
        before={"page": own.page, "query": own.query},
    )
    return own


@command
def restore_view(*, actor: Actor, view: SavedView) -> SavedView:
    """Bring a deleted view back, as long as its name is still free."""
    own = _locked(actor, view)
    if own.deleted_at is None:
        raise Conflict(f"The view {own.name} is not deleted.")
    _require_room(actor, own.page, own.name)
    _set_deleted(own, None)
    record(
        actor=actor,
        action="workspace.view_restored",
        target=own,
        after={"page": own.page, "query": own.query},
    )
    return own


def _lock(actor: Actor) -> None:
    """One change of a person's views at a time; the lock orders the counting and the names."""
    if not actor.is_interactive:
        raise NotAllowed("Views belong to people who are signed in with a browser.")
    Person.objects.select_for_update(no_key=True).get(pk=actor.person_id)


def _locked(actor: Actor, view: SavedView) -> SavedView:
    _lock(actor)
    own = SavedView.objects.visible_to(actor).filter(pk=view.pk).first()
    if own is None:
        raise NotFound("There is no such view.")
    return own


def _require_room(actor: Actor, page: str, name: str) -> None:
    names = set(
        SavedView.objects.visible_to(actor).existing().filter(page=page).values_list("name", flat=True)
    )
    if name in names:
        raise Conflict(f"You have a view named {name} here already; delete it first or choose another name.")
    if len(names) >= MOST_PER_PAGE:
        raise Conflict(f"You have {MOST_PER_PAGE} views of this page already; delete one first.")


def _set_deleted(view: SavedView, moment: Now | None) -> None:
    SavedView.objects.filter(pk=view.pk).update(deleted_at=moment)
    view.refresh_from_db(fields=["deleted_at"])
