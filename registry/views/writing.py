"""Writing a prompt in the browser: typed, looked at beside what it replaces, and only then registered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from core.doors import PageRequest, sign_in_required
from core.errors import Conflict, Invalid, NotFound, PreconditionFailed
from registry import services
from registry.lookups import find_model
from registry.models import ModelVersion, RegisteredModel
from registry.prompts.content import content_of, is_prompt
from registry.prompts.forms import NewPromptForm, WritePromptForm
from registry.prompts.pages import preview_of
from registry.prompts.writing import Draft, draft_of, look_of, says_the_same

LOOK = "Look at what changes below, then register it."
CHANGED = "It is not what you looked at: what is written here, or the newest version, has changed since. Look again."


@sign_in_required
@require_http_methods(["GET", "POST"])
def new_prompt(request: PageRequest) -> HttpResponse:
    """A prompt with its first version."""
    services.require_writing(actor=request.actor, model=None)
    form = _sent(request, NewPromptForm)
    return _answer(request, form, None, None)


@sign_in_required
@require_http_methods(["GET", "POST"])
def new_prompt_version(request: PageRequest, name: str) -> HttpResponse:
    """Its next version, begun with what the newest one says, or ``?from=`` another."""
    model = find_model(request, name)
    services.require_writing(actor=request.actor, model=model)
    if not is_prompt(model):
        raise NotFound(f"{model} is no prompt, so its versions are files and not written here.")
    before = _newest(request, model)
    draft = _begun(request, model, before)
    form = _sent(request, WritePromptForm, draft)
    return _answer(request, form, model, before, is_unreadable=bool(before) and draft is None)


def _sent(request: PageRequest, kind: type[WritePromptForm], draft: Draft | None = None) -> WritePromptForm:
    if request.POST.get("step") == "more":
        return kind.with_another_turn(request.POST)
    return kind(request.POST or None, draft=draft)


def _answer(
    request: PageRequest,
    form: WritePromptForm,
    model: RegisteredModel | None,
    before: ModelVersion | None,
    *,
    is_unreadable: bool = False,
) -> HttpResponse:
    content, notice = form.content if form.is_bound else None, ""
    if content is not None and request.POST.get("step") == "register":
        if sent := _sent_already(request, form, model, content):
            return redirect("registry:version", name=sent.model.name, number=sent.number)
        notice = _why_not_yet(form, content, before)
        if not (notice or form.errors):
            if version := _register(request, form, model, before):
                messages.success(request, f"{version} is registered.")
                return redirect("registry:version", name=version.model.name, number=version.number)
            before = _newest(request, model) if model else None
            notice = "" if form.errors else CHANGED
    context = {
        "form": form,
        "model": model,
        "before": before,
        "coming": {"number": model.next_number if model else 1},
        "notice": notice,
        "preview": None if content is None else preview_of(content_of(content), before),
        "look": "" if content is None else look_of(content, before),
        "is_unreadable": is_unreadable,
        "trail": _trail(model),
    }
    if request.htmx:
        return render(request, "registry/_prompt_preview.html", context)
    status = 422 if notice or form.errors else 200
    return render(request, "registry/prompt_write.html", context, status=status)


def _sent_already(
    request: PageRequest, form: WritePromptForm, model: RegisteredModel | None, content: Mapping[str, str]
) -> ModelVersion | None:
    """What the first of two clicks has made: of the same text, looked at beside the same version."""
    if model is None and not form.errors:
        model = RegisteredModel.objects.visible_to(request.actor).named(form.cleaned_data["name"]).first()
    newest = _newest(request, model) if model is not None else None
    if newest is None or newest.created_by_id != request.actor.account_id:
        return None
    if not (is_prompt(newest.model) and says_the_same(content, newest)):
        return None
    earlier = ModelVersion.objects.visible_to(request.actor).filter(model=model, number__lt=newest.number)
    replaced = earlier.in_lists().prefetch_related("tags").order_by("-number").first()
    return newest if form.cleaned_data.get("seen") == look_of(content, replaced) else None


def _why_not_yet(form: WritePromptForm, content: Mapping[str, str], before: ModelVersion | None) -> str:
    if before is not None and says_the_same(content, before):
        form.add_error(None, f"It says the same as v{before.number}; there is nothing to register.")
        return ""
    seen = form.cleaned_data.get("seen")
    if seen == look_of(content, before):
        return ""
    return CHANGED if seen else LOOK


def _register(
    request: PageRequest, form: WritePromptForm, model: RegisteredModel | None, before: ModelVersion | None
) -> ModelVersion | None:
    """None with the refusal at its field, or where another version came between."""
    said = form.cleaned_data
    what: dict[str, Any] = {name: said[name] for name in ("content", "tags", "message")}
    try:
        if model is None:
            what |= {"name": said["name"], "description": said["description"]}
            return services.create_prompt(actor=request.actor, **what)
        after = before.number if before else None
        return services.write_prompt_version(actor=request.actor, model=model, after=after, **what)
    except PreconditionFailed:
        return None
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return None


def _newest(request: PageRequest, model: RegisteredModel) -> ModelVersion | None:
    versions = ModelVersion.objects.visible_to(request.actor).filter(model=model)
    return versions.in_lists().prefetch_related("tags").order_by("-number").first()


def _begun(request: PageRequest, model: RegisteredModel, before: ModelVersion | None) -> Draft | None:
    number = request.GET.get("from", "")
    if not number:
        return draft_of(before) if before else None
    versions = ModelVersion.objects.visible_to(request.actor).filter(model=model)
    found = versions.filter(number=int(number)) if re.fullmatch("[0-9]{1,9}", number) else versions.none()
    version = found.prefetch_related("tags").first()
    if version is None:
        raise NotFound(f"{model} has no version {number[:20]}.")
    return draft_of(version)


def _trail(model: RegisteredModel | None) -> list[tuple[str, str]]:
    if model is None:
        return [("Models", reverse("registry:models")), ("New prompt", "")]
    address = reverse("registry:model", args=[model.name])
    return [("Models", reverse("registry:models")), (model.name, address), ("New version", "")]
