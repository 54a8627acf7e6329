"""The audit trail's pages: who did what, is the chain intact, and files to take away."""

from __future__ import annotations

import json
from typing import Any

from django.apps import apps
from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit import exports, tree
from audit.api.views import file_of
from audit.filters import NAMES, filtered
from audit.models import Event, Export, Personal, Seal
from audit.recording import OUTCOMES
from audit.selecting import Selection, moment
from core.doors import PageRequest, sign_in_required
from core.errors import DomainError, Invalid
from core.jobs.models import Job
from core.pages import Page
from workspace.audit_details import details
from workspace.audit_places import Place, places_of
from workspace.audit_words import sentence
from workspace.forms import ExportForm

LABELS = {"object_type": "type", "object_id": "object"}


def _auditors_only(request: PageRequest) -> None:
    if not request.actor.holds_everywhere("audit"):
        raise Http404


@sign_in_required
@require_safe
def audit_trail(request: PageRequest) -> HttpResponse:
    """Who did what, and is the chain intact?"""
    _auditors_only(request)
    query, problem = request.GET, ""
    try:
        events = filtered(Event.objects.visible_to(request.actor), query)
    except Invalid as error:
        events, problem = Event.objects.none(), error.message
    page = Page(request, events)
    places = dict(
        Seal.objects.filter(event_id__in=[event.pk for event in page]).values_list("event_id", "seq")
    )
    rows = _rows([(event, places.get(event.pk)) for event in page])
    context = {
        "page": page,
        "rows": rows,
        "about": _about(query, rows),
        "chain": tree.chain_state(),
        "verification": last_verification(),
        "given": {name: query.get(name, "") for name in NAMES},
        "chips": [(name, LABELS.get(name, name), query[name]) for name in NAMES if query.get(name)],
        "outcomes": sorted(OUTCOMES),
        "problem": problem,
    }
    return render(request, "workspace/audit_list.html", context, status=400 if problem else 200)


def _about(query: QueryDict, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The one object that the page tells the history of, by its newest name."""
    if not (query.get("object_type") and query.get("object_id") and rows):
        return None
    return {"name": rows[0]["target"].get("name") or query["object_id"], "place": rows[0]["place"]}


def last_verification() -> dict[str, Any] | None:
    """What the verifier said the last time a worker ran it over the whole ledger."""
    job = Job.objects.filter(kind="audit.verify", finished_at__isnull=False).order_by("-finished_at").first()
    if job is None:
        return None
    said = job.result or {"result": "unreadable", "findings": [{"finding": job.failure}]}
    return {"at": job.finished_at, "is_intact": said.get("exit_code") in {0, 3}, **said}


def _rows(events: list[tuple[Event, int | None]]) -> list[dict[str, Any]]:
    """Each event with its place in the tree and the address of what it is about."""
    places = places_of([event.content.get("object") or {} for event, _ in events])
    return [_row(event, seq, places) for event, seq in events]


def _row(event: Event, seq: int | None, places: dict[Place, str]) -> dict[str, Any]:
    content = event.content
    target = content.get("object") or {}
    return {
        "key": event.key,
        "seq": seq,
        "recorded_at": event.recorded_at,
        "action": content["action"],
        "sentence": sentence(content),
        "details": details(content),
        "outcome": content["outcome"],
        "actor": content["actor"],
        "target": target,
        "target_kind": _kind(target.get("type", "")),
        "place": places.get((target.get("type", ""), target.get("id", "")), ""),
        "reason": content.get("reason", ""),
        "code": (content.get("extra") or {}).get("code", ""),
    }


def _kind(label: str) -> str:
    """``registry.modelversion`` as people say it; what no table is (any more) stays as it was recorded."""
    try:
        return str(apps.get_model(label)._meta.verbose_name)
    except (LookupError, ValueError):
        return label


@sign_in_required
@require_safe
def audit_event(request: PageRequest, pk: str) -> HttpResponse:
    """One event: before, after, by whom, from where, and its place in the tree."""
    _auditors_only(request)
    event = Event.objects.visible_to(request.actor).keyed(pk).first()
    if event is None:
        raise Http404
    content, receipt = event.content, tree.receipt(event.pk)
    before, after = content.get("before") or {}, content.get("after") or {}
    context = {
        "event": event,
        "row": _rows([(event, receipt["seq"] if receipt else None)])[0],
        "content": content,
        "changes": [
            (name, _shown(before.get(name)), _shown(after.get(name)))
            for name in sorted(before.keys() | after.keys())
        ],
        "extra": [(name, _shown(value)) for name, value in sorted((content.get("extra") or {}).items())],
        "origin": _origin(content),
        "receipt": receipt,
        "raw": json.dumps(content, indent=2, ensure_ascii=False),
    }
    return render(request, "workspace/audit_event.html", context)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _origin(content: dict[str, Any]) -> list[tuple[str, str]]:
    """Where it came from; salted hashes are opened unless their value was erased."""
    request = content.get("request") or {}
    hidden = {name: value["c"] for name, value in request.items() if isinstance(value, dict) and "c" in value}
    known = Personal.objects.in_bulk(list(hidden.values()))
    lines = [("Request", request["id"])] if request.get("id") else []
    for name, word in (("ip", "Address"), ("user_agent", "Browser")):
        if name in hidden:
            found = known.get(hidden[name])
            lines.append(
                (
                    word,
                    found.value if found and found.value is not None else "erased; its salted hash remains",
                )
            )
    if job := content.get("job"):
        lines.append(("Job", f"{job['id']}, attempt {job.get('attempt')}, fence {job.get('fence')}"))
    return lines


@sign_in_required
@require_http_methods(["GET", "HEAD", "POST"])
def export_list(request: PageRequest) -> HttpResponse:
    """Which files are there, are they verified; ask for another."""
    _auditors_only(request)
    form = ExportForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _requested(request, form):
        messages.success(request, "A worker is making the export. It appears below when it is ready.")
        return redirect("audit-exports")
    context = {
        "form": form,
        "page": Page(request, Export.objects.visible_to(request.actor)),
        "chain": tree.chain_state(),
        "may_export": request.actor.holds_everywhere("export"),
    }
    return render(request, "workspace/audit_exports.html", context, status=422 if form.errors else 200)


def _requested(request: PageRequest, form: ExportForm) -> bool:
    wanted = form.cleaned_data
    try:
        selection = Selection(moment(wanted["since"], "from"), moment(wanted["until"], "to"))
        exports.request_export(
            actor=request.actor, format=wanted["format"], selection=selection, title=wanted["title"]
        )
    except Invalid as error:
        field = {"from": "since", "to": "until"}.get(error.field, error.field)
        form.add_error(field if field in form.fields else None, error.message)
        return False
    return True


@sign_in_required
@require_safe
def export_download(request: PageRequest, pk: str) -> FileResponse:
    """The file itself; handing it over is an event."""
    _auditors_only(request)
    return file_of(get_object_or_404(Export.objects.visible_to(request.actor), pk=pk), request.actor)


@sign_in_required
@require_POST
def export_retry(request: PageRequest, pk: str) -> HttpResponse:
    _auditors_only(request)
    exports.retry_export(
        actor=request.actor, export=get_object_or_404(Export.objects.visible_to(request.actor), pk=pk)
    )
    return redirect("audit-exports")


@sign_in_required
@require_POST
def verify_now(request: PageRequest) -> HttpResponse:
    """Have a worker run the offline verifier over the whole ledger."""
    _auditors_only(request)
    try:
        job = exports.request_verification(actor=request.actor)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("audit-trail")
    return redirect("job-detail", pk=job.pk)
