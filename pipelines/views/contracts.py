"""Pages about a data set's contract: its rules, their history, and changing them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.doors import PageRequest, sign_in_required
from core.errors import NotAllowed, PreconditionFailed
from core.pages import Page
from pipelines import rights, services
from pipelines.contract_changes import changes_between
from pipelines.editing import Editor, as_yaml, in_order
from pipelines.lookups import find_contract, find_dataset, find_dataset_version, whole_number
from pipelines.models import ContractCheck, DataContract, Dataset
from pipelines.proposal import Proposal
from pipelines.proposing import propose_from
from pipelines.rule_words import column_sentence

MOST_REVISIONS = 50


@sign_in_required
@require_GET
def contract_detail(request: PageRequest, name: str) -> HttpResponse:
    """What is promised, since when and why, and which versions keep it?"""
    dataset = find_dataset(request, name)
    revisions = list(
        dataset.contracts.select_related("created_by")
        .defer("document")
        .order_by("-revision")[:MOST_REVISIONS]
    )
    asked = request.GET.get("revision", "")
    contract = find_contract(request, name, asked) if asked else DataContract.objects.newest_of(dataset)
    before = (
        dataset.contracts.filter(revision__lt=contract.revision).order_by("-revision").first()
        if contract
        else None
    )
    status = request.GET.get("status", "")
    checks = ContractCheck.objects.filter(contract=contract).select_related("version")
    counts = checks.aggregate(
        passed=Count("pk", filter=Q(status="passed")), failed=Count("pk", filter=Q(status="failed"))
    )
    if status in ContractCheck.Status.values:
        checks = checks.filter(status=status)
    checks = checks.defer("version__profile", "version__schema")
    context = {
        "dataset": dataset,
        "contract": contract,
        "columns": _lines(dataset, contract),
        "keys": _keys(contract),
        "changes": changes_between(before.document, contract.document) if contract and before else [],
        "before": before,
        "revisions": revisions,
        "is_newest": contract is not None and contract.revision == revisions[0].revision,
        "page": Page(request, checks),
        "counts": counts,
        "status": status,
        "yaml": as_yaml(in_order(dataset, contract.document)) if contract else "",
        "newest": dataset.versions.ready().order_by("-number").only("number").first(),
        "may_administer": rights.may_administer(request.actor, dataset),
        "trail": _trail(dataset, "Contract"),
    }
    return render(request, "pipelines/contract_detail.html", context)


@sign_in_required
@require_http_methods(["GET", "POST"])
def edit_contract(request: PageRequest, name: str) -> HttpResponse:
    """Change the contract, or start from what a version holds; nothing is kept without a reason."""
    dataset = find_dataset(request, name)
    if not rights.may_administer(request.actor, dataset):
        raise NotAllowed(f"You may not set the contract of {dataset}; it needs the right to administer.")
    editor = Editor(dataset, is_text=request.GET.get("as") == "yaml")
    if request.method == "GET":
        proposal = _proposal(request, dataset)
        editor.show(proposal.document if proposal else editor.before)
        return _edit(request, editor, notes=proposal.notes if proposal else ())
    editor.read(request.POST)
    if editor.contract is None:
        return _edit(request, editor, status=422)
    if request.POST.get("do") != "keep":
        return _edit(request, editor, is_preview=True)
    reason, expected = editor.keep.cleaned_data["reason"], editor.keep.cleaned_data["revision"]
    try:
        kept = services.set_contract(
            actor=request.actor,
            dataset=dataset,
            document=editor.contract.document,
            reason=reason,
            expected_revision=expected,
        )
    except PreconditionFailed:
        return _show_both(request, dataset, editor, expected)
    words = "is checked on every version" if kept.revision != expected else "is unchanged"
    messages.success(request, f"Revision {kept.revision} of the contract {words}.")
    return redirect("pipelines:contract", name=dataset.name)


@sign_in_required
@require_POST
def check_version(request: PageRequest, name: str, number: int) -> HttpResponse:
    """Have a version checked against the newest contract again."""
    version = find_dataset_version(request, name, number)
    services.request_check(actor=request.actor, version=version)
    messages.success(request, f"{version} is being checked.")
    return redirect(f"{reverse('pipelines:dataset', args=[name])}?version={number}")


def _proposal(request: PageRequest, dataset: Dataset) -> Proposal | None:
    asked = request.GET.get("propose", "")
    if not asked:
        return None
    return propose_from(find_dataset_version(request, dataset.name, whole_number(asked, "propose")))


def _edit(request: PageRequest, editor: Editor, status: int = 200, **more: Any) -> HttpResponse:
    dataset, beside = editor.dataset, editor.beside()
    context = {
        "dataset": dataset,
        "editor": editor,
        "changes": editor.changes(),
        "foreseen": editor.foreseen(),
        "changed_rules": [row for row in beside if not row.is_same],
        "same_rules": [row for row in beside if row.is_same],
        "versions": dataset.versions.ready().in_lists().order_by("-number")[:25],
        "next_revision": (editor.current.revision if editor.current else 0) + 1,
        "trail": _trail(dataset, "Edit", ("Contract", reverse("pipelines:contract", args=[dataset.name]))),
        "proposed": request.GET.get("propose", ""),
        **more,
    }
    return render(request, "pipelines/contract_edit.html", context, status=status)


def _show_both(request: PageRequest, dataset: Dataset, editor: Editor, expected: int) -> HttpResponse:
    """Somebody kept another revision meanwhile: their change beside what was typed, nothing lost."""
    theirs = DataContract.objects.newest_of(dataset)
    seen = dataset.contracts.filter(revision=expected).first()
    data = request.POST.copy()
    data["revision"] = str(theirs.revision if theirs else 0)
    retry = Editor(dataset, is_text=editor.is_text).read(data)
    changed = changes_between(seen.document if seen else None, theirs.document if theirs else None)
    return _edit(request, retry, status=412, is_preview=True, theirs=theirs, their_changes=changed)


def _lines(dataset: Dataset, contract: DataContract | None) -> list[dict[str, Any]]:
    """Each column with its rules as the page shows them."""
    columns = (in_order(dataset, contract.document).get("columns") or {}) if contract else {}
    return [
        {
            "name": name,
            **rules,
            "sentence": column_sentence(rules),
            "low": rules.get("min"),
            "high": rules.get("max"),
        }
        for name, rules in columns.items()
    ]


def _keys(contract: DataContract | None) -> list[str]:
    keys = (contract.document.get("unique") or []) if contract else []
    return [key if isinstance(key, str) else ", ".join(key) for key in keys]


def _trail(dataset: Dataset, last: str, *between: tuple[str, str]) -> list[tuple[str, str]]:
    address = reverse("pipelines:dataset", args=[dataset.name])
    return [("Data sets", "/data/"), (dataset.name, address), *between, (last, "")]
