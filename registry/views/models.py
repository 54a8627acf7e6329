"""Pages about registered models: the list, one model, and changing what people say of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import panels
from core.actors import holds
from core.doors import PageRequest, sign_in_required
from core.errors import Conflict, Invalid, PreconditionFailed
from core.filters import asked, chosen
from core.pages import Page
from registry import rights, services
from registry.evaluations.measured import measured_of
from registry.forms import EditModelForm, ModelFilterForm, RenameForm
from registry.lookups import find_model
from registry.metrics import main_metric, word_of
from registry.models import ModelVersion, RegisteredModel
from registry.offers import offers
from registry.outlook import outlook_of
from registry.overview import CHAMPION, SORTS, narrowed, with_newest
from registry.prompts.content import is_prompt
from registry.retention import reason_to_keep_name
from registry.snippets import of_first_version
from registry.storage.gaps import with_gaps
from registry.trained_on import TRAINING, name_data
from registry.trend import trend_of
from registry.views.prompts import prompt_page


@sign_in_required
@require_GET
def model_list(request: PageRequest) -> HttpResponse:
    """What is live, what is unhealthy, and who answers for it."""
    filters = ModelFilterForm(request.GET)
    sort = chosen(request, "sort", SORTS) or next(iter(SORTS))
    models = narrowed(RegisteredModel.objects.visible_to(request.actor), request.actor, asked(filters))
    page = Page(request, with_newest(models).select_related("owner", "on_call"), **SORTS[sort])
    shown = panels.load("registry.models", request.actor, page.items)
    waiting = panels.load("registry.models.needs", request.actor, page.items)
    outlooks = outlook_of(request.actor, page.items)
    rows = [
        {
            "model": model,
            "champion": next(iter(model.champions), None),
            "panels": shown[model.pk],
            "waiting": waiting[model.pk],
            "outlook": outlooks[model.pk],
        }
        for model in page
    ]
    context = {
        "filters": filters,
        "page": page,
        "rows": rows,
        "is_filtered": any(request.GET.get(name) for name in filters.fields),
        "sort": sort,
        "has_health": any(row["panels"] for row in rows),
        "snippet": of_first_version("my-model"),
        "may_create": rights.may_create(request.actor),
    }
    return render(request, "registry/model_list.html", context)


@sign_in_required
@require_GET
def model_detail(request: PageRequest, name: str) -> HttpResponse:
    """Champion, candidates, versions, and the people who answer for the model."""
    return model_page(request, find_model(request, name))


def model_page(
    request: PageRequest, model: RegisteredModel, status: int = 200, **answered: Any
) -> HttpResponse:
    """The page, with forms of its rail that were sent and refused; a prompt has a page of its own."""
    if is_prompt(model):
        seen = may_see_access(request, model)
        return prompt_page(request, model, may_see_access=seen, status=status, **answered)
    versions = ModelVersion.objects.visible_to(request.actor).filter(model=model).in_lists()
    related = versions.select_related("created_by").prefetch_related(
        "aliases", Prefetch("datasets", TRAINING)
    )
    page = Page(request, related, key="number", size=25)
    champion = versions.filter(aliases__name=CHAMPION).first()
    newer = versions.ready().filter(number__gt=champion.number if champion else 0)
    candidate = newer.order_by("-number").first()
    shown = [*page, *(each for each in (champion, candidate) if each)]
    metric = main_metric(shown)
    name_data(request.actor, page)
    measured = measured_of(request.actor, shown, metric)
    for version in shown:
        version.main_value = version.metrics.get(metric)
        version.measured = measured.get(str(version.pk))
    context = {
        "model": model,
        "page": page,
        "rows": with_gaps(model, page.items, is_first=not page.newer, is_last=not page.older),
        "champion": champion,
        "candidate": candidate,
        "candidates": newer.count(),
        "newest": versions.order_by("-number").first(),
        "metric": metric,
        "metric_word": word_of(metric),
        "measured_word": next((each.words for each in measured.values()), ""),
        "aliases": sorted(model.aliases.all(), key=lambda alias: alias.name),
        "tags": sorted(model.tags.all(), key=lambda tag: tag.key),
        "may_administer": rights.may_administer(request.actor, model),
        "may_see_access": may_see_access(request, model),
        "snippet": of_first_version(model.name),
        "trend": trend_of(request.actor, versions, request.GET.get("metric", "")),
        "offers": offers(request.actor, model, **answered),
        "trail": [("Models", "/models/"), (model.name, "")],
    }
    return render(request, "registry/model_detail.html", context, status=status)


@sign_in_required
@require_http_methods(["GET", "POST"])
def edit_model(request: PageRequest, name: str) -> HttpResponse:
    """Name the owner, the on-call person and the tier; say what the model is for."""
    model = find_model(request, name)
    form = _as_it_is(model, request.POST or None)
    if request.method == "POST" and form.is_valid():
        fields = {name: form.cleaned_data[name] for name in ("description", "owner", "on_call", "tier")}
        try:
            services.update_model(
                actor=request.actor, model=model, expected_rev=form.cleaned_data["revision"], **fields
            )
        except PreconditionFailed:
            return _show_both(request, model, form)
        messages.success(request, f"{model} is changed.")
        return redirect("registry:model", name=model.name)
    context = _edit(request, model, form)
    return render(request, "registry/model_edit.html", context, status=422 if form.errors else 200)


def _as_it_is(model: RegisteredModel, data: Any = None) -> EditModelForm:
    said = {
        "description": model.description,
        "owner": model.owner_id,
        "on_call": model.on_call_id,
        "tier": model.tier,
    }
    return EditModelForm(data, model=model, initial={**said, "revision": model.rev})


@sign_in_required
@require_POST
def rename_model(request: PageRequest, name: str) -> HttpResponse:
    """Another name; what keeps the old one is said before anybody types."""
    model = find_model(request, name)
    services.require_administering(actor=request.actor, model=model)
    form = RenameForm(request.POST)
    if form.is_valid() and _rename(request, model, form):
        messages.success(request, f"{name} is now {form.cleaned_data['new_name']}.")
        return redirect("registry:model", name=form.cleaned_data["new_name"])
    context = _edit(request, model, _as_it_is(model), rename=form)
    return render(request, "registry/model_edit.html", context, status=422)


def _rename(request: PageRequest, model: RegisteredModel, form: RenameForm) -> bool:
    if form.cleaned_data["new_name"] == model.name:
        form.add_error("new_name", "It has this name already.")
        return False
    try:
        renamed = services.rename_model(
            actor=request.actor,
            model=model,
            new_name=form.cleaned_data["new_name"],
            expected_rev=form.cleaned_data["revision"],
        )
    except PreconditionFailed:
        now = RegisteredModel.objects.only("rev").get(pk=model.pk)
        form.data = {**form.data.dict(), "revision": str(now.rev)}
        form.add_error(None, "Somebody changed the model while you were typing. Look at it, and repeat.")
    except (Invalid, Conflict) as error:
        form.add_error("new_name", str(error))
    else:
        form.cleaned_data["new_name"] = renamed.name
        return True
    return False


def may_see_access(request: PageRequest, model: RegisteredModel) -> bool:
    return holds(request.actor, "administer", model) or holds(request.actor, "audit")


def _show_both(request: PageRequest, model: RegisteredModel, form: EditModelForm) -> HttpResponse:
    """Somebody changed the model meanwhile: their values beside what was typed, nothing lost."""
    now = RegisteredModel.objects.select_related("owner", "on_call").get(pk=model.pk)
    data = {**{name: form.data.get(name, "") for name in form.fields}, "revision": str(now.rev)}
    retry = EditModelForm(data, model=now)
    return render(
        request, "registry/model_edit.html", {**_edit(request, now, retry), "theirs": now}, status=412
    )


def _edit(
    request: PageRequest, model: RegisteredModel, form: EditModelForm, rename: RenameForm | None = None
) -> dict[str, Any]:
    address = reverse("registry:model", args=[model.name])
    may_administer = rights.may_administer(request.actor, model)
    return {
        "model": model,
        "form": form,
        "rename": rename or RenameForm(initial={"new_name": model.name, "revision": model.rev}),
        "may_administer": may_administer,
        "why_name_stays": reason_to_keep_name(model.pk) if may_administer else "",
        "trail": [("Models", "/models/"), (model.name, address), ("Edit", "")],
    }
