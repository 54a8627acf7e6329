"""Who may do what on one model, and changing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.roles import PHRASES, ROLES
from core.doors import PageRequest, sign_in_required
from core.errors import DomainError, NotAllowed
from registry import rights
from registry.access import services
from registry.access.models import ModelAccountGrant, grants_on
from registry.access.services import GRANTABLE
from registry.forms import GrantForm, HolderForm
from registry.lookups import find_model
from registry.models import RegisteredModel
from registry.views.models import may_see_access


@sign_in_required
@require_http_methods(["GET", "POST"])
def model_access(request: PageRequest, name: str) -> HttpResponse:
    """Every grant on the model, with who gave it and why; a form to give another."""
    model = find_model(request, name)
    if not may_see_access(request, model):
        raise NotAllowed(
            f"You may not see who was granted what on {model}; it needs the right to administer."
        )
    form = GrantForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.grant(actor=request.actor, model=model, **form.cleaned_data)
        except DomainError as error:
            if error.field not in form.fields:
                raise
            form.add_error(error.field, str(error))
        else:
            messages.success(request, f"Granted: {form.cleaned_data['right'].replace('_', ' ')} on {model}.")
            return redirect("registry:model-access", name=model.name)
    return render(
        request,
        "registry/model_access.html",
        _context(request, model, form),
        status=422 if form.errors else 200,
    )


@sign_in_required
@require_POST
def revoke_right(request: PageRequest, name: str) -> HttpResponse:
    """Take one right back, with a reason."""
    model = find_model(request, name)
    if not may_see_access(request, model):  # the form says which names there are
        raise NotAllowed(f"You may not revoke rights on {model}; it needs the right to administer.")
    form = HolderForm(request.POST)
    if form.is_valid():
        services.revoke(actor=request.actor, model=model, **form.cleaned_data)
        messages.success(request, f"Revoked: {form.cleaned_data['right'].replace('_', ' ')} on {model}.")
    else:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect("registry:model-access", name=model.name)


def _context(request: PageRequest, model: RegisteredModel, form: GrantForm) -> dict[str, Any]:
    granted = [
        {
            "grant": each,
            "right": each.permission.codename,
            "word": each.permission.codename.replace("_", " "),
            "holder": each.user.person.name if isinstance(each, ModelAccountGrant) else each.group.name,
            "account": each.user.username if isinstance(each, ModelAccountGrant) else "",
            "group": "" if isinstance(each, ModelAccountGrant) else each.group.name,
            "is_shut_out": isinstance(each, ModelAccountGrant) and not each.user.is_active,
        }
        for each in grants_on(model)
    ]
    by_role = [
        (PHRASES[role], [right.replace("_", " ") for right in GRANTABLE if right in held])
        for role, held in ROLES.items()
        if held & set(GRANTABLE)
    ]
    return {
        "model": model,
        "granted": granted,
        "by_role": by_role,
        "form": form,
        "may_administer": rights.may_administer(request.actor, model),
        "trail": [
            ("Models", "/models/"),
            (model.name, reverse("registry:model", args=[model.name])),
            ("Access", ""),
        ],
    }
