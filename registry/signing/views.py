"""Pages about keys and signatures."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from core.doors import PageRequest, sign_in_required
from core.errors import DomainError
from registry.lookups import find_version
from registry.signing import services
from registry.signing.forms import KeyForm, RetireForm
from registry.signing.lookups import find_key, require_key_sight
from registry.signing.models import TrustedKey

NEW_KEY = (
    "openssl ecparam -name prime256v1 -genkey -noout -out model.key\n"
    "openssl ec -in model.key -pubout -out model.pub"
)


@sign_in_required
@require_http_methods(["GET", "POST"])
def signing_keys(request: PageRequest) -> HttpResponse:
    """Every key that is or was trusted; a form to trust another."""
    require_key_sight(request.actor)
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.trust_key(actor=request.actor, **form.cleaned_data)
        except DomainError as error:
            if error.field not in form.fields:
                raise
            form.add_error(error.field, str(error))
        else:
            messages.success(request, f"The key {form.cleaned_data['name']} is trusted.")
            return redirect("signing:keys")
    keys = TrustedKey.objects.select_related("added_by", "retired_by").order_by("retired_at", "name")
    context = {
        "snippet": NEW_KEY,
        "in_use": [key for key in keys if key.retired_at is None],
        "retired": [key for key in keys if key.retired_at is not None],
        "form": form,
        "may_administer": request.actor.holds_everywhere("administer"),
        "trail": [("Signing keys", "")],
    }
    return render(request, "registry/signing/signing_keys.html", context, status=422 if form.errors else 200)


@sign_in_required
@require_POST
def retire_key(request: PageRequest, pk: uuid.UUID) -> HttpResponse:
    """New signatures of the key no longer count."""
    key, form = find_key(request.actor, pk), RetireForm(request.POST)
    if form.is_valid():
        services.retire_key(actor=request.actor, key=key, **form.cleaned_data)
        messages.success(request, f"The key {key.name} is retired.")
    else:
        messages.error(request, "Say why the key is retired.")
    return redirect("signing:keys")


@sign_in_required
@require_POST
def check_signature(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Have the signature looked at again."""
    version = find_version(request, name, number)
    services.request_check(actor=request.actor, version=version)
    messages.success(request, "A worker checks the signature again.")
    return redirect("registry:version", name=name, number=number)
