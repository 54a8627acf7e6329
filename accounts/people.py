"""Pages for admins: people, their roles, and whether they may sign in."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services
from accounts.forms import NewAccountForm, ReasonForm, RoleForm
from accounts.models import Account
from accounts.roles import PHRASES, ROLES
from core.doors import PageRequest, sign_in_required
from core.errors import Conflict, DomainError, Invalid
from core.pages import Page


def _require_reader(request: PageRequest) -> None:
    if not (request.actor.holds_everywhere("administer") or request.actor.holds_everywhere("audit")):
        raise Http404


def _account(request: PageRequest, name: str) -> Account:
    if "\x00" in name:  # the database cannot be asked for it
        raise Http404
    return get_object_or_404(Account.objects.visible_to(request.actor), username__iexact=name)


@sign_in_required
@never_cache
@require_http_methods(["GET", "POST"])
def people(request: PageRequest) -> HttpResponse:
    """Who is here, with which roles; admins add accounts."""
    _require_reader(request)
    form, password, created = NewAccountForm(request.POST or None), "", None
    if request.method == "POST" and form.is_valid():
        password = secrets.token_urlsafe(18)
        try:
            created = services.create_account(actor=request.actor, password=password, **form.cleaned_data)
            form = NewAccountForm()
        except (Invalid, Conflict) as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
    rows = Account.objects.visible_to(request.actor).prefetch_related("groups").defer("password")
    words = request.GET.get("q", "").replace("\x00", "")[:150]
    if words:
        rows = rows.filter(username__icontains=words)
    context = {
        "form": form,
        "created": created,
        "password": password if created else "",
        "page": Page(request, rows),
        "q": words,
        "may_change": request.actor.holds_everywhere("administer"),
    }
    return render(request, "accounts/people.html", context, status=422 if form.errors else 200)


@sign_in_required
@require_safe
def person(request: PageRequest, name: str) -> HttpResponse:
    """One account: roles with what they allow, tokens, state."""
    _require_reader(request)
    account = _account(request, name)
    context = {
        "account": account,
        "memberships": account.memberships.select_related("group", "given_by").order_by("given_at"),
        "tokens": account.tokens.live().order_by("-created_at")[:50],
        "linked": Account.objects.filter(person=account.person_id).exclude(pk=account.pk),
        "may_change": request.actor.holds_everywhere("administer"),
        "is_oneself": account.person_id == request.actor.person_id,
        "role_form": RoleForm(),
        "role_words": [
            (name, PHRASES[name], ", ".join(sorted(rights)).replace("_", " "))
            for name, rights in ROLES.items()
        ],
    }
    return render(request, "accounts/person.html", context)


@sign_in_required
@require_POST
def give_role(request: PageRequest, name: str) -> HttpResponse:
    """Give a role, with a reason."""
    return _change_role(request, name, services.give_role)


@sign_in_required
@require_POST
def take_role(request: PageRequest, name: str) -> HttpResponse:
    """Take a role away, with a reason."""
    return _change_role(request, name, services.take_role)


@sign_in_required
@require_POST
def deactivate(request: PageRequest, name: str) -> HttpResponse:
    """Shut an account out."""
    return _set_active(request, name, is_active=False)


@sign_in_required
@require_POST
def activate(request: PageRequest, name: str) -> HttpResponse:
    """Let an account in again."""
    return _set_active(request, name, is_active=True)


def _change_role(request: PageRequest, name: str, change: Callable[..., object]) -> HttpResponse:
    account, form = _account(request, name), RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a role and give a reason.")
        return redirect("person", name=account.username)
    return _try(request, account, lambda: change(actor=request.actor, account=account, **form.cleaned_data))


def _set_active(request: PageRequest, name: str, *, is_active: bool) -> HttpResponse:
    account, form = _account(request, name), ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a reason; it becomes part of the audit trail.")
        return redirect("person", name=account.username)
    given = {"is_active": is_active, **form.cleaned_data}
    return _try(request, account, lambda: services.set_active(actor=request.actor, account=account, **given))


def _try(request: PageRequest, account: Account, change: Callable[[], object]) -> HttpResponse:
    """Answer with the page; a refusal is a message there and an event in the ledger."""
    try:
        change()
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{account.username} is changed; the audit trail has it.")
    return redirect("person", name=account.username)
