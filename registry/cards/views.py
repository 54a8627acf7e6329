"""Pages of model cards: what it is for, where it ends, who answers."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from core.doors import PageRequest, sign_in_required
from core.errors import Invalid, NotAllowed, PreconditionFailed
from core.pages import Page
from registry.cards.forms import CardForm
from registry.cards.lookups import card_of, find_revision, newest_number, starts_of, usual_version
from registry.cards.models import CardRevision
from registry.cards.proposals import proposed
from registry.cards.revising import differences
from registry.cards.services import revise_card
from registry.lookups import find_model, find_version
from registry.models import ModelVersion, RegisteredModel
from registry.rights import may_administer, may_register

LARGEST = 2**31 - 1


@sign_in_required
@require_GET
def card(request: PageRequest, name: str) -> HttpResponse:
    """``?version=`` shows the card that holds for that version; by default the champion's."""
    model = find_model(request, name)
    found = card_of(request.actor, model, _version(request, model))
    page = Page(request, CardRevision.objects.filter(model=model).select_related("created_by"), "number", 10)
    versions = ModelVersion.objects.visible_to(request.actor).filter(model=model).ready()
    context = {
        "model": model,
        "card": found,
        "page": page,
        "numbers": list(versions.order_by("-number").values_list("number", flat=True)[:50]),
        "may_edit": _may_edit(request, model),
        "trail": _trail(model, ("Card", "")),
    }
    return render(request, "cards/card.html", context)


@sign_in_required
@require_http_methods(["GET", "POST"])
def edit_card(request: PageRequest, name: str) -> HttpResponse:
    """Write the card; the first time it is drafted from what is known."""
    model = find_model(request, name)
    if not _may_edit(request, model):
        raise NotAllowed(f"You may not write the card of {model}; it needs the right to register.")
    now = card_of(request.actor, model, None)
    version = usual_version(request.actor, model)
    facts = card_of(request.actor, model, version)
    draft = {} if now.revision else proposed(model, version, facts.data)
    start = now.revision.from_version if now.revision else 1
    initial = {**draft, **now.sections, "from_version": start, "revision": newest_number(model)}
    choices = {"tier": model.tier, "starts": starts_of(model, start)}
    form = CardForm(request.POST or None, initial=initial, **choices)
    context = {
        "model": model,
        "form": form,
        "card": facts,
        "draft": draft,
        "trail": _trail(model, ("Edit card", "")),
    }
    if request.method == "POST" and form.is_valid():
        try:
            _keep(request, model, form)
        except PreconditionFailed:
            data = {**form.data.dict(), "revision": str(newest_number(model))}
            retry = CardForm(data, **choices)
            lines = differences(form.said(), now.sections)
            context |= {"form": retry, "theirs": now.revision, "differing": lines}
            return render(request, "cards/card_edit.html", context, status=412)
        except Invalid as error:
            field = (error.field or "").removeprefix("sections.")
            form.add_error(field if field in form.fields else None, str(error))
        else:
            start = form.cleaned_data["from_version"]
            messages.success(request, f"The card is kept and holds from v{start} on.")
            shown = version.number if version and version.number >= start else start
            return redirect(f"{reverse('cards:card', args=[model.name])}{_at(request, model, shown)}")
    return render(request, "cards/card_edit.html", context, status=422 if form.errors else 200)


@sign_in_required
@require_GET
def card_revision(request: PageRequest, name: str, number: int) -> HttpResponse:
    """What one revision says differently from the one before it, or from ``?against=``."""
    model = find_model(request, name)
    revision = find_revision(model, number)
    against = _number(request, "against", revision.number - 1)
    before = find_revision(model, against) if against else None
    context = {
        "model": model,
        "revision": revision,
        "before": before,
        "differing": differences(before.sections if before else {}, revision.sections),
        "newest": newest_number(model),
        "trail": _trail(model, ("Card", reverse("cards:card", args=[name])), (f"Revision {number}", "")),
    }
    return render(request, "cards/card_revision.html", context)


def _keep(request: PageRequest, model: RegisteredModel, form: CardForm) -> None:
    revise_card(
        actor=request.actor,
        model=model,
        sections=form.said(),
        expected_number=form.cleaned_data["revision"],
        from_version=form.cleaned_data["from_version"],
        note=form.cleaned_data["note"],
    )


def _at(request: PageRequest, model: RegisteredModel, number: int) -> str:
    """The query that shows a version of which the kept card holds, as far as there is one."""
    ready = ModelVersion.objects.visible_to(request.actor).filter(model=model).ready()
    found = ready.filter(number__gte=number).order_by("number").values_list("number", flat=True).first()
    return f"?version={found}" if found else ""


def _may_edit(request: PageRequest, model: RegisteredModel) -> bool:
    return may_register(request.actor, model) or may_administer(request.actor, model)


def _version(request: PageRequest, model: RegisteredModel) -> ModelVersion | None:
    if number := _number(request, "version", 0):
        return find_version(request, model.name, number)
    return usual_version(request.actor, model)


def _number(request: PageRequest, field: str, usual: int) -> int:
    text = request.GET.get(field, "").strip()
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and 0 < int(text[:12]) <= LARGEST):
        raise Invalid(f"{field} must be a number.", field=field, allowed="a number from 1 on")
    return int(text[:12])


def _trail(model: RegisteredModel, *rest: tuple[str, str]) -> list[tuple[str, str]]:
    return [("Models", "/models/"), (model.name, reverse("registry:model", args=[model.name])), *rest]
