"""Setting and removing aliases in the browser: on the page of a version and on that of its model."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from core.doors import PageRequest, sign_in_required
from core.errors import Conflict, Invalid, NotFound, PreconditionFailed
from registry import services
from registry.alias_forms import CHANGED, AliasForm, PointForm, RemoveAliasForm
from registry.lookups import find_model, find_version
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from registry.offers import free_aliases, undo_at
from registry.protected import address_to_ask
from registry.views.models import model_page
from registry.views.sent import led_to_its_error, sent
from registry.views.versions import version_page


@sign_in_required
@require_POST
def set_of_version(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Point an alias at this version; a protected one leads to the request for promotion."""
    version = find_version(request, name, number)
    services.require_describing(actor=request.actor, model=version.model)
    form = AliasForm(sent(request, "alias"), free=free_aliases(version.model), version=version)
    if form.is_valid():
        if asked_at := _where_it_is_asked(version, form):
            return redirect(asked_at)
        if _set(request, form, version):
            return redirect("registry:version", name=version.model.name, number=number)
    return version_page(request, version, status=422, set_alias=led_to_its_error(form))


@sign_in_required
@require_POST
def set_of_model(request: PageRequest, name: str) -> HttpResponse:
    """The same from the model's page, where the version is named by its number."""
    model = find_model(request, name)
    services.require_describing(actor=request.actor, model=model)
    form = PointForm(sent(request, "alias"))
    version = _named(request, form, model) if form.is_valid() else None
    if version is not None:
        if asked_at := _where_it_is_asked(version, form):
            return redirect(asked_at)
        if _set(request, form, version):
            return redirect("registry:model", name=model.name)
    return model_page(request, model, status=422, set_alias=led_to_its_error(form))


@sign_in_required
@require_POST
def remove_of_version(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Remove an alias of this version."""
    version = find_version(request, name, number)
    services.require_describing(actor=request.actor, model=version.model)
    own = [each for each in free_aliases(version.model) if each.version_id == version.pk]
    form = RemoveAliasForm(sent(request, "alias"), free=own)
    if form.is_valid() and _remove(request, form, version.model):
        return redirect("registry:version", name=version.model.name, number=number)
    return version_page(request, version, status=422, remove_alias=led_to_its_error(form))


@sign_in_required
@require_POST
def remove_of_model(request: PageRequest, name: str) -> HttpResponse:
    """Remove any free alias of the model."""
    model = find_model(request, name)
    services.require_describing(actor=request.actor, model=model)
    form = RemoveAliasForm(sent(request, "alias"), free=free_aliases(model))
    if form.is_valid() and _remove(request, form, model):
        return redirect("registry:model", name=model.name)
    return model_page(request, model, status=422, remove_alias=led_to_its_error(form))


def _named(request: PageRequest, form: PointForm, model: RegisteredModel) -> ModelVersion | None:
    try:
        return find_version(request, model.name, form.cleaned_data["version"])
    except NotFound as error:
        form.add_error("version", str(error))
        return None


def _where_it_is_asked(version: ModelVersion, form: AliasForm) -> str:
    """Protected aliases follow approvals: the page that asks for one, or an error that says so."""
    alias = form.cleaned_data["alias"]
    if not services.is_protected_alias(alias):
        return ""
    address = address_to_ask(version, alias)
    if not address:
        form.add_error("alias", f"The alias {alias} is protected, and no environment follows it.")
    return address


def _set(request: PageRequest, form: AliasForm, version: ModelVersion) -> bool:
    """Point the alias where it still is as its caller has seen it; else the form says where it is."""
    if form.errors:
        return False
    alias = form.cleaned_data["alias"]
    known = _known(version.model, alias)
    if known is not None and known.version_id == version.pk:
        form.add_error("alias", f"The alias {alias} points at v{version.number} already.")
    elif known is not None and form.cleaned_data["seen"] != services.alias_etag(known):
        form.ask_again(known, version)
    else:
        return _point(request, form, version, known)
    return False


def _point(request: PageRequest, form: AliasForm, version: ModelVersion, known: ModelAlias | None) -> bool:
    alias, model = form.cleaned_data["alias"], version.model
    try:
        pointed = services.set_alias(
            actor=request.actor, model=model, alias=alias, version=version, seen=known
        )
    except PreconditionFailed:
        now = _known(model, alias)
        if now is None:
            form.add_error("alias", f"Somebody removed {alias} while you were typing.")
        else:
            form.ask_again(now, version)
    except (Invalid, Conflict, NotFound) as error:
        form.add_error("alias", str(error))
    else:
        etag = services.alias_etag(pointed)
        if known is None:
            said, undo = f"{alias} points at {version}.", undo_at("remove-alias", model, alias=etag)
        else:
            said = f"{alias} points at {version} now; it pointed at v{known.version.number}."
            undo = undo_at("set-alias", known.version, alias=alias, seen=etag)
        messages.success(request, said, extra_tags=undo)
        return True
    return False


def _remove(request: PageRequest, form: RemoveAliasForm, model: RegisteredModel) -> bool:
    known = form.chosen()
    try:
        services.delete_alias(actor=request.actor, model=model, alias=known.name, seen=known)
    except PreconditionFailed:
        form.add_error("alias", CHANGED)
        return False
    known.version.model = model
    undo = undo_at("set-alias", known.version, alias=known.name)
    messages.success(request, f"{known.name} is removed; it pointed at {known.version}.", extra_tags=undo)
    return True


def _known(model: RegisteredModel, alias: str) -> ModelAlias | None:
    found = model.aliases.select_related("version__model").filter(name=alias)
    return found.first()
