"""Pages about deployments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.doors import PageRequest, sign_in_required
from core.errors import DomainError
from core.filters import asked
from core.pages import Page
from deployments import comparing, rights, services, steering
from deployments.forms import DeployForm, DeploymentFilterForm, ReasonForm, RollbackForm
from deployments.lookups import find_deployment
from deployments.models import Deployment, Endpoint, Target
from deployments.traffic import totals_since
from registry.lookups import find_model, find_version

RECENTLY = timedelta(minutes=15)
SILENT_AFTER = timedelta(seconds=20)
# htmx: the content is swapped in once more, then polling stops.
STOP_POLLING = 286


@sign_in_required
@require_GET
def deployment_list(request: PageRequest) -> HttpResponse:
    """What answers where, what is under way, and what changed."""
    form = DeploymentFilterForm(request.GET)
    filters = asked(form)
    rows = visible = Deployment.objects.visible_to(request.actor)
    if "model" in filters:
        rows = rows.filter(endpoint__model__name__icontains=filters["model"])
    if "environment" in filters:
        rows = rows.filter(endpoint__environment=filters["environment"])
    if "status" in filters:
        rows = rows.filter(status=filters["status"])
    context = {
        "filters": form,
        "is_filtered": bool(filters),
        "page": Page(request, rows.in_lists(), size=25),
        "endpoints": _endpoints(request),
        "under_way": visible.in_lists().filter(status__in=Deployment.BEFORE_LIVE).order_by("created_at")[:20],
        "minutes": int(RECENTLY.total_seconds() // 60),
        "targets": _targets(),
    }
    return render(request, "deployments/deployment_list.html", context)


@sign_in_required
@require_GET
def deployment_detail(request: PageRequest, pk: str) -> HttpResponse:
    """Which step, healthy? The live part alone is answered to htmx."""
    deployment = find_deployment(request, pk)
    context = _live(request, deployment)
    if request.htmx and request.GET.get("seen"):
        is_settled = deployment.status not in {"queued", *Deployment.IN_FLIGHT}
        if request.GET["seen"] == context["seen"] and not is_settled:
            return HttpResponse(status=204)
        status = STOP_POLLING if is_settled else 200
        context["is_fragment"] = True
        return render(request, "deployments/_deployment_live.html", context, status=status)
    context |= {
        "trail": [("Deployments", "/deployments/"), (str(deployment), "")],
        "abort_form": ReasonForm(prefix="abort"),
        "retire_form": ReasonForm(prefix="retire"),
    }
    return render(request, "deployments/deployment_detail.html", context)


@sign_in_required
@require_POST
def pause_deployment(request: PageRequest, pk: str) -> HttpResponse:
    services.pause(actor=request.actor, deployment=find_deployment(request, pk))
    messages.success(request, "The rollout is paused; its share of the traffic stays as it is.")
    return redirect("deployments:deployment", pk=pk)


@sign_in_required
@require_POST
def continue_deployment(request: PageRequest, pk: str) -> HttpResponse:
    services.continue_rollout(actor=request.actor, deployment=find_deployment(request, pk))
    messages.success(request, "The rollout goes on.")
    return redirect("deployments:deployment", pk=pk)


@sign_in_required
@require_POST
def abort_deployment(request: PageRequest, pk: str) -> HttpResponse:
    deployment = find_deployment(request, pk)
    form = ReasonForm(request.POST, prefix="abort")
    if not form.is_valid():
        messages.error(request, "Say why the deployment is aborted; nothing has changed.")
        return redirect("deployments:deployment", pk=pk)
    services.abort(actor=request.actor, deployment=deployment, reason=form.cleaned_data["reason"])
    messages.success(request, "Aborted. What was live stays live.")
    return redirect("deployments:deployment", pk=pk)


@sign_in_required
@require_POST
def retire_deployment(request: PageRequest, pk: str) -> HttpResponse:
    deployment = find_deployment(request, pk)
    form = ReasonForm(request.POST, prefix="retire")
    if not form.is_valid():
        messages.error(request, "Say why the deployment is retired; nothing has changed.")
        return redirect("deployments:deployment", pk=pk)
    services.retire(actor=request.actor, deployment=deployment, reason=form.cleaned_data["reason"])
    messages.success(request, "Retired.")
    return redirect("deployments:deployment", pk=pk)


@sign_in_required
@require_http_methods(["GET", "POST"])
def roll_back(request: PageRequest, name: str) -> HttpResponse:
    """From what to what, what is lost; then sign."""
    model = find_model(request, name)
    target = find_deployment(request, request.GET["target"]) if request.GET.get("target") else None
    if target is not None and target.endpoint.model_id != model.pk:
        target = None
    endpoint = target.endpoint if target else _endpoint_to_roll_back(request, model)
    form = RollbackForm(request.POST or None)
    failed: DomainError | None = None
    if request.method == "POST" and target is not None and form.is_valid():
        try:
            services.sign_and_roll_back(
                actor=request.actor, endpoint=target.endpoint, to_deployment=target, **form.cleaned_data
            )
        except DomainError as error:
            failed = error
            form.add_error("password" if "reauth" in error.code else None, error.message)
        else:
            messages.success(request, f"Rolled back to {target.version}.")
            return redirect("deployments:deployment", pk=target.pk)
    context = _rollback(request, model, endpoint, target, form)
    status = failed.status if failed else 422 if form.errors else 200
    return render(request, "deployments/rollback.html", context, status=status)


@sign_in_required
@require_http_methods(["GET", "POST"])
def deploy_version(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Put a version on a free environment, such as staging."""
    version = find_version(request, name, number)
    form = DeployForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        endpoint = services.ensure_endpoint(
            actor=request.actor, model=version.model, environment=form.chosen()
        )
        deployment = services.start_deployment(
            actor=request.actor, endpoint=endpoint, version=version, reason=form.cleaned_data["reason"]
        )
        messages.success(request, f"{version} is on its way to {endpoint.environment}.")
        return redirect("deployments:deployment", pk=deployment.pk)
    context = {
        "version": version,
        "form": form,
        "may_deploy": rights.may_deploy(request.actor, version.model),
        "trail": [
            ("Models", "/models/"),
            (version.model.name, reverse("registry:model", args=[version.model.name])),
            (f"v{version.number}", reverse("registry:version", args=[version.model.name, version.number])),
            ("Deploy", ""),
        ],
    }
    return render(request, "deployments/deploy.html", context, status=422 if form.errors else 200)


@sign_in_required
@require_GET
def target_detail(request: PageRequest, name: str) -> HttpResponse:
    """What runs here, and is its agent alive?"""
    target = next((each for each in _targets() if each["target"].name == name), None)
    if target is None:
        return redirect("deployments:deployments")
    running = (
        Deployment.objects.visible_to(request.actor)
        .in_lists()
        .wanting_scorer()
        .filter(endpoint__target=target["target"])
        .select_related("scorer")
        .order_by("endpoint__model__name", "created_at")
    )
    totals = totals_since(list(running), timezone.now() - RECENTLY)
    context = {
        **target,
        "rows": [{"deployment": each, "traffic": totals[each.pk]} for each in running],
        "minutes": int(RECENTLY.total_seconds() // 60),
        "trail": [("Deployments", "/deployments/"), (f"Target {name}", "")],
    }
    return render(request, "deployments/target_detail.html", context)


def _endpoints(request: PageRequest) -> list[dict[str, Any]]:
    endpoints = list(
        Endpoint.objects.visible_to(request.actor)
        .in_lists()
        .order_by("environment__order", "model__name")[:200]
    )
    live = [endpoint.live for endpoint in endpoints if endpoint.live]
    totals = totals_since(live, timezone.now() - RECENTLY)
    standbys = {}
    for each in Deployment.objects.filter(endpoint__in=endpoints, status="standby").select_related("version"):
        standbys[each.endpoint_id] = each
    return [
        {"endpoint": each, "traffic": totals.get(each.live_id), "standby": standbys.get(each.pk)}
        for each in endpoints
    ]


def _targets() -> list[dict[str, Any]]:
    now = timezone.now()
    return [
        {"target": each, "is_ready": bool(each.agent_seen_at and now - each.agent_seen_at < SILENT_AFTER)}
        for each in Target.objects.all()
    ]


def _live(request: PageRequest, deployment: Deployment) -> dict[str, Any]:
    figures = steering.figures_of(deployment)
    return {
        "deployment": deployment,
        "endpoint": deployment.endpoint,
        "model": deployment.endpoint.model,
        "figures": figures,
        "steps": steering.steps_of(deployment),
        "history": steering.history_of(deployment),
        "scorer": steering.scorer_of(deployment),
        "seen": steering.seen_of(deployment, figures),
        "is_settled": deployment.status not in {"queued", *Deployment.IN_FLIGHT},
        "may_steer": rights.may_steer(request.actor, deployment.endpoint),
        "may_roll_back": rights.may_roll_back(request.actor, deployment.endpoint),
        "is_before_live": deployment.status in Deployment.BEFORE_LIVE,
    }


def _endpoint_to_roll_back(request: PageRequest, model: Any) -> Endpoint | None:
    """The one asked for by environment, else the most protected one."""
    endpoints = Endpoint.objects.visible_to(request.actor).in_lists().filter(model=model)
    if name := request.GET.get("environment"):
        endpoints = endpoints.filter(environment__name=name.replace("\x00", ""))
    return endpoints.order_by("-environment__is_protected", "-environment__order").first()


def _rollback(
    request: PageRequest, model: Any, endpoint: Endpoint | None, target: Deployment | None, form: RollbackForm
) -> dict[str, Any]:
    live = endpoint.live if endpoint else None
    refusal = services.why_not_target(endpoint, target) if endpoint and target else None
    return {
        "model": model,
        "endpoint": endpoint,
        "live": live,
        "target": target,
        "form": form,
        "refusal": refusal,
        "candidates": comparing.candidates_of(endpoint) if endpoint else [],
        "lines": comparing.differences(live, target) if target else [],
        "lost": comparing.lost_columns(live, target) if target else [],
        "needed": comparing.new_columns(live, target) if target else [],
        "optional": comparing.optional_columns(live, target) if target else [],
        "may_roll_back": bool(endpoint and rights.may_roll_back(request.actor, endpoint)),
        "gateway": settings.GATEWAY_URL,
        "trail": [
            ("Models", "/models/"),
            (model.name, reverse("registry:model", args=[model.name])),
            ("Roll back", ""),
        ],
    }
