"""Pages of groups: one's own for everybody, all of them and their changes for admins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import ReasonForm
from accounts.grants import kinds_of_group_grants
from accounts.groups import services
from accounts.groups.forms import GroupForm, MemberForm
from accounts.groups.teams import (
    find_member,
    find_team,
    grant_counts,
    grants_to,
    members_of,
    oversees_people,
    teams_visible_to,
)
from core.doors import PageRequest, sign_in_required
from core.errors import DomainError, NotAllowed
from core.pages import Page

# So many grants of each kind are on the page; the counts are of all.
GRANTS_SHOWN = 50


@sign_in_required
@require_http_methods(["GET", "POST"])
def group_list(request: PageRequest) -> HttpResponse:
    """The groups one may see; admins make another."""
    form = GroupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = _told(form, lambda: services.create_group(actor=request.actor, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"Group {made.name} is there, without members and rights.")
            return redirect("group", name=made.name)
    words = request.GET.get("q", "").replace("\x00", "")[:150]
    rows = teams_visible_to(request.actor)
    context = {
        "form": form,
        "page": Page(request, rows.filter(name__icontains=words) if words else rows, "name", ascending=True),
        "q": words,
        "own": set(request.actor.group_ids),
        "oversees": oversees_people(request.actor),
        "may_change": request.actor.holds_everywhere("administer"),
    }
    return render(request, "accounts/group_list.html", context, status=422 if form.errors else 200)


@sign_in_required
@require_http_methods(["GET", "POST"])
def group(request: PageRequest, name: str) -> HttpResponse:
    """Who is in it and, for admins and auditors, what was granted to it; a POST adds somebody."""
    team, form = find_team(request.actor, name), MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        asked = {"account_name": form.cleaned_data["account"], "reason": form.cleaned_data["reason"]}
        added = _told(form, lambda: services.add_member(actor=request.actor, group=team, **asked))
        if added is not None:
            messages.success(request, f"{added.account} is in {team.name}.")
            return redirect("group", name=team.name)
    return render(
        request, "accounts/group.html", _context(request, team, form), status=422 if form.errors else 200
    )


@sign_in_required
@require_POST
def remove_member(request: PageRequest, name: str, account: str) -> HttpResponse:
    """Take somebody out, with a reason."""
    team = find_team(request.actor, name)
    member, form = find_member(team, account), ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a reason; it becomes part of the audit trail.")
    else:
        services.remove_member(
            actor=request.actor, group=team, account=member.account, reason=form.cleaned_data["reason"]
        )
        messages.success(request, f"{member.account} is no longer in {team.name}.")
    return redirect("group", name=team.name)


@sign_in_required
@require_POST
def rename_group(request: PageRequest, name: str) -> HttpResponse:
    """Another name; members and grants stay."""
    team, form = find_team(request.actor, name), GroupForm(request.POST)
    renamed = None
    if form.is_valid():
        asked = form.cleaned_data
        renamed = _told(form, lambda: services.rename_group(actor=request.actor, group=team, **asked))
    if renamed is None:
        messages.error(request, " ".join(words for each in form.errors.values() for words in each))
        return redirect("group", name=team.name)
    messages.success(request, f"{team.name} is now {renamed.name}.")
    return redirect("group", name=renamed.name)


@sign_in_required
@require_POST
def delete_group(request: PageRequest, name: str) -> HttpResponse:
    """For good: its grants go with it."""
    team, form = find_team(request.actor, name), ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a reason; it becomes part of the audit trail.")
        return redirect("group", name=team.name)
    services.delete_group(actor=request.actor, group=team, reason=form.cleaned_data["reason"])
    messages.success(request, f"{team.name} is deleted; the audit trail has what was granted to it.")
    return redirect("group-list")


@sign_in_required
@require_safe
def confirm_deletion(request: PageRequest, name: str) -> HttpResponse:
    """What goes when the group goes."""
    team = find_team(request.actor, name)
    if not request.actor.holds_everywhere("administer"):
        raise NotAllowed("Only admins delete groups.")
    context = {**_context(request, team, MemberForm()), "reason_form": ReasonForm()}
    return render(request, "accounts/group_delete.html", context)


def _context(request: PageRequest, team: Any, form: MemberForm) -> dict[str, Any]:
    sees = oversees_people(request.actor)
    grants = [
        (word, grant)
        for word, kind in kinds_of_group_grants().items()
        for grant in grants_to(team, kind)[:GRANTS_SHOWN]
    ]
    counts = grant_counts(team) if sees else {}
    return {
        "group": team,
        "form": form,
        "rename_form": GroupForm(initial={"name": team.name}, auto_id="rename_%s"),
        "page": Page(request, members_of(team)),
        "grants": grants if sees else [],
        "counts": [(word, count) for word, count in counts.items() if count],
        "grant_count": sum(counts.values()),
        "oversees": sees,
        "may_change": request.actor.holds_everywhere("administer"),
    }


def _told(form: Any, change: Callable[[], Any]) -> Any:
    """What the service made, or None with its refusal at the field; one without a field is raised."""
    try:
        return change()
    except DomainError as error:
        if error.field not in form.fields:
            raise
        form.add_error(error.field, str(error))
        return None
