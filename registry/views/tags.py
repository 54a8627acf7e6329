"""Setting and removing tags in the browser: of a model and of a version."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from core.canonical import sha256_hex
from core.doors import PageRequest, sign_in_required
from core.errors import Conflict, Invalid, NotFound, PreconditionFailed
from registry import services
from registry.lookups import find_model, find_version
from registry.models import ModelVersion, RegisteredModel
from registry.offers import loose_tags, undo_at
from registry.tag_forms import RemoveTagForm, TagForm
from registry.views.models import model_page
from registry.views.sent import led_to_its_error, sent
from registry.views.versions import version_page


@sign_in_required
@require_POST
def set_of_version(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Set a tag of this version."""
    version = find_version(request, name, number)
    services.require_describing(actor=request.actor, model=version.model)
    form = TagForm(sent(request, "key"))
    if form.is_valid() and _set(request, form, version):
        return redirect("registry:version", name=version.model.name, number=number)
    return version_page(request, version, status=422, set_tag=led_to_its_error(form))


@sign_in_required
@require_POST
def set_of_model(request: PageRequest, name: str) -> HttpResponse:
    """Set a tag of the model."""
    model = find_model(request, name)
    services.require_describing(actor=request.actor, model=model)
    form = TagForm(sent(request, "key"))
    if form.is_valid() and _set(request, form, model):
        return redirect("registry:model", name=model.name)
    return model_page(request, model, status=422, set_tag=led_to_its_error(form))


@sign_in_required
@require_POST
def remove_of_version(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Remove a tag of this version."""
    version = find_version(request, name, number)
    services.require_describing(actor=request.actor, model=version.model)
    form = RemoveTagForm(sent(request, "key"), tags=loose_tags(version))
    if form.is_valid():
        _remove(request, form, version)
        return redirect("registry:version", name=version.model.name, number=number)
    return version_page(request, version, status=422, remove_tag=led_to_its_error(form))


@sign_in_required
@require_POST
def remove_of_model(request: PageRequest, name: str) -> HttpResponse:
    """Remove a tag of the model."""
    model = find_model(request, name)
    services.require_describing(actor=request.actor, model=model)
    form = RemoveTagForm(sent(request, "key"), tags=loose_tags(model))
    if form.is_valid():
        _remove(request, form, model)
        return redirect("registry:model", name=model.name)
    return model_page(request, model, status=422, remove_tag=led_to_its_error(form))


def _set(request: PageRequest, form: TagForm, target: RegisteredModel | ModelVersion) -> bool:
    key, value = form.cleaned_data["key"], form.cleaned_data["value"]
    known = next((tag.value for tag in target.tags.all() if tag.key == key), None)
    if known == value:
        form.add_error("value", f"{key} says this already.")
        return False
    if known is not None and form.cleaned_data["seen"] != sha256_hex(known):
        form.ask_again(known)
        return False
    try:
        services.set_tag(actor=request.actor, target=target, key=key, value=value, seen=known)
    except (Invalid, Conflict, NotFound, PreconditionFailed) as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return False
    undo = undo_at("remove-tag", target, key=key)
    if known is not None:
        undo = undo_at("set-tag", target, key=key, value=known, seen=sha256_hex(value))
    messages.success(request, f"The tag {key} of {target} is set.", extra_tags=undo)
    return True


def _remove(request: PageRequest, form: RemoveTagForm, target: RegisteredModel | ModelVersion) -> None:
    known = form.chosen()
    services.delete_tag(actor=request.actor, target=target, key=known.key, seen=known.value)
    undo = undo_at("set-tag", target, key=known.key, value=known.value)
    messages.success(request, f"The tag {known.key} of {target} is removed.", extra_tags=undo)
