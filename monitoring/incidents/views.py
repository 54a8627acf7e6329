"""Pages about incidents."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.sight import require_sight
from core.doors import PageRequest, sign_in_required
from core.errors import DomainError
from core.filters import asked
from core.pages import Page
from deployments import rights as deployment_rights
from deployments.comparing import candidates_of
from deployments.lookups import find_deployment
from monitoring import rights
from monitoring.incidents import services
from monitoring.incidents.forms import (
    CommentForm,
    IncidentFilterForm,
    IncidentRollbackForm,
    PostMortemForm,
    ResolveForm,
)
from monitoring.incidents.integrity import stored_files_of
from monitoring.incidents.models import Incident
from monitoring.incidents.seen import seen_of
from monitoring.incidents.suspects import suspects_of
from monitoring.lookups import find_incident

ICONS = {
    "opened": "siren", "alert": "bell", "cleared": "check", "acknowledged": "eye", "comment": "message-square",
    "deployment": "rocket", "rolled_back": "undo-2", "resolved": "circle-check", "post_mortem": "file-text",
}  # fmt: skip


@sign_in_required
@require_GET
def incident_list(request: PageRequest) -> HttpResponse:
    """Open incidents, and who has them."""
    require_sight(request.actor)
    form = IncidentFilterForm(request.GET)
    filters = asked(form)
    visible = Incident.objects.visible_to(request.actor)
    rows = visible.in_lists()
    if "model" in filters:
        rows = rows.filter(model__name__icontains=filters["model"])
    if filters.get("show") == "resolved":
        rows = rows.filter(status=Incident.Status.RESOLVED)
    elif filters.get("show") != "all":
        rows = rows.filter(~Q(status=Incident.Status.RESOLVED))
    context = {
        "filters": form,
        "page": Page(request, rows),
        "is_filtered": bool(filters),
        "open": visible.open().count(),
        "last": visible.in_lists().filter(status=Incident.Status.RESOLVED).order_by("-resolved_at").first(),
    }
    return render(request, "monitoring/incident_list.html", context)


@sign_in_required
@require_GET
def incident_detail(request: PageRequest, pk: str) -> HttpResponse:
    """Impact, suspects, next step."""
    return _page(request, find_incident(request, pk))


@sign_in_required
@require_POST
def acknowledge(request: PageRequest, pk: str) -> HttpResponse:
    services.acknowledge(actor=request.actor, incident=find_incident(request, pk))
    messages.success(request, "The incident is yours; the others see it.")
    return redirect("monitoring:incident", pk=pk)


@sign_in_required
@require_POST
def comment(request: PageRequest, pk: str) -> HttpResponse:
    incident, form = find_incident(request, pk), CommentForm(request.POST)
    if not form.is_valid():
        return _page(request, incident, comment_form=form)
    services.comment(actor=request.actor, incident=incident, **form.cleaned_data)
    return redirect("monitoring:incident", pk=pk)


@sign_in_required
@require_POST
def resolve(request: PageRequest, pk: str) -> HttpResponse:
    incident, form = find_incident(request, pk), ResolveForm(request.POST, prefix="resolve")
    if not form.is_valid():
        return _page(request, incident, resolve_form=form)
    services.resolve(actor=request.actor, incident=incident, **form.cleaned_data)
    messages.success(request, "Resolved. Write down what was learnt while it is fresh.")
    return redirect("monitoring:incident", pk=pk)


@sign_in_required
@require_POST
def roll_back(request: PageRequest, pk: str) -> HttpResponse:
    """A signed rollback; what was typed stays when the signature is refused."""
    incident, form = find_incident(request, pk), IncidentRollbackForm(request.POST)
    if not form.is_valid():
        return _page(request, incident, rollback_form=form)
    given = dict(form.cleaned_data)
    target = find_deployment(request, given.pop("target"))
    try:
        services.sign_and_roll_back(actor=request.actor, incident=incident, to_deployment=target, **given)
    except DomainError as error:
        form.add_error("password" if "reauth" in error.code else None, error.message)
        return _page(request, incident, status=error.status, rollback_form=form)
    messages.success(request, f"{target.version} answers again.")
    return redirect("monitoring:incident", pk=pk)


@sign_in_required
@require_POST
def write_post_mortem(request: PageRequest, pk: str) -> HttpResponse:
    """A new revision; on a conflict nothing typed is lost."""
    incident, form = find_incident(request, pk), PostMortemForm(request.POST)
    if not form.is_valid():
        return _page(request, incident, post_mortem_form=form)
    try:
        services.write_post_mortem(
            actor=request.actor,
            incident=incident,
            post_mortem=form.words(),
            expected_revision=form.cleaned_data["seen"],
        )
    except DomainError as error:
        form.add_error(None, error.message)
        return _page(request, incident, status=error.status, post_mortem_form=form)
    messages.success(request, "The post-mortem is kept; earlier revisions stay.")
    return redirect("monitoring:incident", pk=pk)


def _page(request: PageRequest, incident: Incident, status: int = 422, **forms: Any) -> HttpResponse:
    """The incident's page, with the form that was refused, if any."""
    alerts = list(incident.alerts.select_related("rule").order_by("fired_at"))
    learnt = incident.post_mortems.order_by("-revision").first()
    initial = {**(learnt.as_record() if learnt else {}), "seen": learnt.revision if learnt else 0}
    candidates = candidates_of(incident.endpoint) if incident.endpoint and incident.is_open else []
    context = {
        "incident": incident,
        "alerts": alerts,
        "seen": [(alert, seen_of(alert)) for alert in alerts],
        "files": stored_files_of(request.actor, incident),
        "suspects": suspects_of(incident, alerts),
        "timeline": [{"row": row, "icon": ICONS[row.kind]} for row in incident.timeline.all()],
        "post_mortem": learnt,
        "candidates": [each for each in candidates if not each.why_not],
        "live": incident.endpoint.live.version if incident.endpoint and incident.endpoint.live else None,
        "may_handle": rights.may_handle_incidents(request.actor, incident.model),
        "may_roll_back": incident.endpoint is not None
        and deployment_rights.may_roll_back(request.actor, incident.endpoint),
        "comment_form": CommentForm(),
        "resolve_form": ResolveForm(prefix="resolve"),
        "rollback_form": IncidentRollbackForm(),
        "post_mortem_form": PostMortemForm(initial=initial),
        "trail": [("Incidents", "/incidents/"), (incident.model.name, "")],
        **forms,
    }
    return render(request, "monitoring/incident_detail.html", context, status=status if forms else 200)
