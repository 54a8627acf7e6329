"""Pages of approvals: the list, the review page, asking and deciding."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals import asking, review, services
from approvals.forms import DecisionForm, PromotionForm, ReasonForm
from approvals.models import PromotionRequest
from approvals.standing import standings_of
from approvals.waiting import pending_counts
from core.doors import PageRequest, sign_in_required
from core.errors import Conflict, DomainError, NotAllowed, PreconditionFailed, PreconditionRequired
from core.filters import chosen
from core.pages import Page
from deployments.lookups import find_environment
from registry.models import ModelVersion, RegisteredModel


@sign_in_required
@require_safe
def request_list(request: PageRequest) -> HttpResponse:
    """Which requests wait, for whom, and what became of the others."""
    rows = PromotionRequest.objects.visible_to(request.actor).in_lists()
    status = chosen(request, "status", PromotionRequest.Status.values)
    model = request.GET.get("model", "").replace("\x00", "")[:256]
    if status:
        rows = rows.filter(status=status)
    if model:
        rows = rows.filter(version__model__name__icontains=model)
    page = Page(request, rows.defer("evidence", "version__manifest"))
    standings = standings_of(request.actor, page.items)
    context = {
        "page": page,
        "rows": [(each, standings[each.pk]) for each in page],
        "status": status,
        "model": model,
        "statuses": PromotionRequest.Status.choices,
        "pending": pending_counts(request.actor),
    }
    return render(request, "approvals/request_list.html", context)


@sign_in_required
@never_cache
@require_safe
def request_detail(request: PageRequest, pk: str) -> HttpResponse:
    """Safe to release? Everything a decision needs, on one page."""
    promotion = _visible(request, pk)
    return render(request, "approvals/request_detail.html", review.context(promotion, request.actor))


@sign_in_required
@require_safe
def gates(request: PageRequest, pk: str) -> HttpResponse:
    """The gates alone, for polling: 204 while they are yet to be judged, 286 when they are."""
    promotion = _visible(request, pk)
    if not promotion.is_judged or services.is_being_judged(promotion):
        return HttpResponse(status=204)
    answer = HttpResponse(status=286)
    answer["HX-Refresh"] = "true"
    return answer


@sign_in_required
@require_http_methods(["GET", "POST"])
def decide(request: PageRequest, pk: str) -> HttpResponse:
    """Sign an approval or a rejection, with the password, at the revision seen."""
    promotion = _visible(request, pk)
    if request.method == "GET":  # the address of a refused signature, opened again
        return redirect("request-detail", pk=pk)
    if not request.POST.get("revision"):
        raise PreconditionRequired(
            "Say which revision you saw.", field="revision", allowed=f"{promotion.rev}"
        )
    form = DecisionForm(request.POST)
    if not form.is_valid():
        context = {**review.context(promotion, request.actor), "form": form}
        return render(request, "approvals/request_detail.html", context, status=422)
    try:
        _signed(request, promotion, form.cleaned_data)
    except NotAllowed as error:
        if error.code not in {"reauthentication_failed", "too_many_tries"}:
            raise
        form.add_error("password", str(error))
        context = {**review.context(promotion, request.actor), "form": form}
        return render(request, "approvals/request_detail.html", context, status=error.status)
    except (Conflict, PreconditionFailed) as error:
        return _refused(request, pk, form, error)
    messages.success(request, "Your decision is signed and in the audit trail.")
    return redirect("request-detail", pk=pk)


def _refused(request: PageRequest, pk: str, form: DecisionForm, error: DomainError) -> HttpResponse:
    """The page as it is now with what was written: only the password has to be typed again."""
    form.add_error(None, str(error))
    context = {**review.context(_visible(request, pk), request.actor), "form": form, "refused": True}
    return render(request, "approvals/request_detail.html", context, status=error.status)


def _signed(request: PageRequest, promotion: PromotionRequest, given: dict[str, Any]) -> None:
    verdict = given.pop("decision")
    if verdict == "request_changes":
        raise Conflict(
            "Requesting changes is not available yet: reject with what should change, or wait.",
            code="not_available",
        )
    if not given["meaning"]:
        del given["meaning"]
    service = services.approve if verdict == "approve" else services.reject
    service(actor=request.actor, promotion=promotion, **given)


@sign_in_required
@require_POST
def evaluate_again(request: PageRequest, pk: str) -> HttpResponse:
    """What failed, or has changed since, is evaluated and judged anew."""
    promotion = _visible(request, pk)
    try:
        services.evaluate_again(actor=request.actor, promotion=promotion)
    except Conflict as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "It is being evaluated again.")
    return redirect("request-detail", pk=pk)


@sign_in_required
@require_POST
def withdraw(request: PageRequest, pk: str) -> HttpResponse:
    """Take a request back."""
    promotion = _visible(request, pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a reason; it becomes part of the audit trail.")
        return redirect("request-detail", pk=pk)
    services.withdraw(actor=request.actor, promotion=promotion, reason=form.cleaned_data["reason"])
    messages.success(request, "The request is withdrawn.")
    return redirect("request-detail", pk=pk)


@sign_in_required
@require_http_methods(["GET", "POST"])
def promote(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Ask for a promotion: what will be checked, who approves."""
    model = get_object_or_404(RegisteredModel.objects.visible_to(request.actor), name=name)
    versions = ModelVersion.objects.visible_to(request.actor).select_related("model")
    version = get_object_or_404(versions, model=model, number=number)
    environment = find_environment(request.GET.get("environment", "production"))
    form = PromotionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            opened = services.request_promotion(
                actor=request.actor, version=version, environment=environment, **form.cleaned_data
            )
        except Conflict as error:
            form.add_error(None, str(error))
        else:
            return redirect("request-detail", pk=opened.pk)
    context = {
        "form": form,
        "version": version,
        "environment": environment,
        **asking.context(request.actor, version, environment),
    }
    return render(request, "approvals/promote.html", context, status=422 if form.errors else 200)


def _visible(request: PageRequest, pk: str) -> PromotionRequest:
    rows = PromotionRequest.objects.visible_to(request.actor).in_lists()
    related = rows.select_related(
        "champion",
        "evaluation",
        "deployment",
        "version__created_by",
        "version__model__owner",
        "version__model__on_call",
    )
    return get_object_or_404(related.defer(None), pk=pk)
