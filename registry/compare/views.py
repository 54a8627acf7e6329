"""Better, worse or the same? Two versions of a model side by side."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from core.doors import PageRequest, sign_in_required
from core.errors import Invalid
from pipelines.models import DatasetVersion
from registry import rights
from registry.compare.comparison import Comparison, compared
from registry.compare.data_sets import data_differences
from registry.compare.differences import differing
from registry.compare.forms import EvaluateForm, PairForm
from registry.compare.lookups import find_pair, number_of, usual_pair
from registry.compare.words import answers_of
from registry.evaluations.services import request_evaluation
from registry.lookups import find_model
from registry.models import ModelVersion, RegisteredModel, VersionDataset
from registry.prompts.content import is_prompt
from registry.prompts.pages import page_of_comparison

OFFERED_DATA = 30


@sign_in_required
@require_GET
def compare_versions(request: PageRequest, name: str) -> HttpResponse:
    """``?a=`` is what was, ``?b=`` what may come; without them the champion against the newest."""
    model = find_model(request, name)
    versions = ModelVersion.objects.visible_to(request.actor).filter(model=model).ready()
    context: dict[str, Any] = {"model": model, "trail": _trail(model)}
    template = "compare/prompts.html" if is_prompt(model) else "compare/comparison.html"
    a, b = (request.GET.get(field, "").strip() for field in ("a", "b"))
    usual: tuple[int | None, int | None] = (None, None)
    try:
        usual = usual_pair(versions, number_of(b, "b") if b else None)
        a, b = a or str(usual[0] or ""), b or str(usual[1] or "")
        if not (a and b):
            return render(request, template, {**context, "is_alone": True})
        first, second = find_pair(request, name, a, b)
    except Invalid as error:
        form = PairForm(versions=versions, initial={"a": usual[0], "b": usual[1]})
        return render(request, template, {**context, "form": form, "error": error}, status=400)
    context["form"] = PairForm(
        versions=versions,
        also=(first.number, second.number),
        initial={"a": str(first.number), "b": str(second.number)},
    )
    if is_prompt(model):
        return render(request, template, {**context, **page_of_comparison(first, second)})
    comparison = compared(request.actor, first, second)
    return render(request, template, {**context, **_shown(request, model, comparison)})


@sign_in_required
@require_POST
def evaluate_both(request: PageRequest, name: str) -> HttpResponse:
    """Have a worker score both versions on the same rows."""
    a, b = find_pair(request, name, request.POST.get("a", ""), request.POST.get("b", ""))
    comparison = compared(request.actor, a, b)
    form = _evaluate_form(request, comparison, request.POST)
    if not form.is_valid():
        messages.error(request, "Choose the data set version on which both are to be scored.")
        return redirect(f"{reverse('compare:versions', args=[name])}?a={a.number}&b={b.number}")
    evaluation = request_evaluation(
        actor=request.actor, candidate=b, champion=a, dataset_version=form.cleaned_data["dataset_version"]
    )
    return redirect(evaluation.address)


def _shown(request: PageRequest, model: RegisteredModel, comparison: Comparison) -> dict[str, Any]:
    may_evaluate = rights.may_register(request.actor, model) or rights.may_propose(request.actor, model)
    tables = [
        ("parameters", "Parameters", comparison.parameters, "The runs logged no parameter."),
        ("data", "Data set versions", comparison.data, "No data set version that you may see is named."),
        ("environment", "Environment and code", comparison.environment, "Neither says what it ran on."),
        ("requirements", "Locked requirements", comparison.requirements, "Neither brings requirements."),
        ("tags", "Tags", comparison.tags, "Neither has a tag."),
    ]
    return {
        "comparison": comparison,
        "a": comparison.a,
        "b": comparison.b,
        "evaluation": comparison.evaluation,
        "answers": answers_of(comparison),
        "data_sets": data_differences(comparison.seen[comparison.a.pk], comparison.seen[comparison.b.pk]),
        "tables": [
            (key, title, differing(lines), [line for line in lines if not line.is_difference], empty)
            for key, title, lines, empty in tables
        ],
        "evaluate": _evaluate_form(request, comparison) if may_evaluate else None,
    }


def _evaluate_form(request: PageRequest, comparison: Comparison, data: Any = None) -> EvaluateForm:
    """Ready versions of the data sets that either version knows, newest first."""
    uses = [use for each in comparison.seen.values() for use in each]
    offered = (
        DatasetVersion.objects.visible_to(request.actor)
        .ready()
        .in_lists()
        .filter(dataset__in={use.dataset_version.dataset_id for use in uses})
        .order_by("-created_at")
    )
    trained = {use.dataset_version_id for use in uses if use.role == VersionDataset.Role.TRAINING}
    pair = {"a": comparison.a.number, "b": comparison.b.number}
    if data is None:
        newest = list(offered.values_list("pk", flat=True)[:OFFERED_DATA])
        offered = offered.filter(pk__in=newest)
    return EvaluateForm(data, offered=offered, trained_on=trained, initial=pair, auto_id="evaluate_%s")


def _trail(model: RegisteredModel) -> list[tuple[str, str]]:
    return [
        ("Models", "/models/"),
        (model.name, reverse("registry:model", args=[model.name])),
        ("Compare", ""),
    ]
