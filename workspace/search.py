"""The palette: what the reader may see and where to go. Actions open pages, never act at once.

Every group is one bounded query, whatever it finds; the runs are a few to the tracking server, which has
until a moment to answer them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from accounts.models import Account
from approvals.models import PromotionRequest
from core.actors import Actor
from core.errors import Unavailable
from core.frame import links
from pipelines.models import Dataset
from registry.models import ModelVersion, RegisteredModel
from registry.models.versions import ModelVersionQuerySet
from registry.prompts.content import among_prompts
from registry.runs.finding import RUN_ID_BEGINNING, made_from, runs_matching
from registry.runs.shown import STATUSES
from workspace.actions import actions_for
from workspace.here import lines_here
from workspace.saved_views.list_pages import LIST_PAGES
from workspace.saved_views.models import SavedView
from workspace.wanted import Wanted, line, wanted

MOST = 6
# One more than is shown tells whether there are more.
ENOUGH = MOST + 1
LEAST_OF_A_RUN = 2
Lines = Iterable[dict[str, str]]


def results(actor: Actor, words: str, address: str = "") -> list[dict[str, Any]]:
    """Groups of lines: icon, word, note, address; first about the page at ``address``; empty ones are left out.

    ``more`` of a group that was cut is the line of the list with all of them, or a line that leads nowhere.
    """
    asked = wanted(words)
    if asked is None:
        return []
    here = {"name": "On this page", "lines": lines_here(actor, address, asked.words), "more": None}
    groups = [here, *_groups(actor, asked)]
    found = [group for group in groups if group["lines"] or group["more"]]
    # Enter opens the first line: a group without any says so behind the others.
    return sorted(found, key=lambda group: not group["lines"])


def _groups(actor: Actor, asked: Wanted) -> list[dict[str, Any]]:
    found = []
    for name, find in GROUPS.items():
        try:
            lines = list(islice(find(actor, asked), ENOUGH))
            more = _more(name, asked) if len(lines) > MOST else None
        except Unavailable:
            lines, more = [], line("", f"{name} cannot be searched just now.", "", "")
        found.append({"name": name, "lines": lines[:MOST], "more": more})
    return found


def _more(name: str, asked: Wanted) -> dict[str, str] | None:
    """The list with the same words as its filter."""
    if name not in LISTS:
        return line("", "More match; type more of the name.", "", "") if asked.words else None
    address, field = LISTS[name]
    words = asked.words if name in {"Data sets", "Runs"} else asked.name
    query = f"?{urlencode({field: words})}" if words else ""
    matching = " that match" if words else ""
    return line(
        "chevron-right", f"See all {name.lower()}{matching}", f"more than {MOST}", f"{address}{query}"
    )


def _models(actor: Actor, asked: Wanted) -> Lines:
    models = RegisteredModel.objects.visible_to(actor).searched(asked.name).order_by("name")
    for name, is_text in models.annotate(is_text=among_prompts()).values_list("name", "is_text")[:ENOUGH]:
        icon, note = ("message-square", "prompt") if is_text else ("boxes", "model")
        yield line(icon, name, note, reverse("registry:model", args=[name]))


def _versions(actor: Actor, asked: Wanted) -> Lines:
    """By the id of the run they were made from, or by a number: each model has many."""
    if RUN_ID_BEGINNING.fullmatch(asked.words.lower()):
        made = made_from(actor, asked.words.lower()).existing()
        yield from _version_lines(made.order_by("pk"), "version of this run")
    if asked.number is None:
        return
    models = RegisteredModel.objects.visible_to(actor).searched(asked.name)
    versions = ModelVersion.objects.existing().filter(model__in=models, number=asked.number)
    yield from _version_lines(versions.order_by("model__name"), "version")


def _version_lines(versions: ModelVersionQuerySet, note: str) -> Lines:
    for version in versions.in_lists()[:ENOUGH]:
        address = reverse("registry:version", args=[version.model.name, version.number])
        yield line("package", f"{version.model.name} v{version.number}", note, address)


def _runs(actor: Actor, asked: Wanted) -> Lines:
    """Nobody's runs are listed unasked, and one letter is in most names."""
    if len(asked.words) < LEAST_OF_A_RUN:
        return
    for run in runs_matching(actor, asked.words, ENOUGH):
        status = STATUSES.get(run.status, "unknown")
        yield line(
            "cpu", run.name or run.id[:8], f"run {run.id[:8]}, {status}", reverse("runs:run", args=[run.id])
        )


def _requests(actor: Actor, asked: Wanted) -> Lines:
    """Those under way before any was searched; later all, newest first."""
    requests = PromotionRequest.objects.visible_to(actor).filter(version__model__name__icontains=asked.name)
    requests = requests.filter(version__number=asked.number) if asked.number is not None else requests
    requests = requests if asked.words else requests.under_way()
    shown = requests.select_related("version__model", "environment", "evaluation").only(
        "status", "gates_judged_at", "evaluation__status", "environment__name", "version__number", "version__model__name"
    )  # fmt: skip
    for each in shown.with_gates().order_by("-pk")[:ENOUGH]:
        word = f"{each.version.model.name} v{each.version.number} to {each.environment.name}"
        yield line("shield-check", word, each.word, reverse("request-detail", args=[each.pk]))


def _datasets(actor: Actor, asked: Wanted) -> Lines:
    if not asked.words:
        return
    datasets = Dataset.objects.visible_to(actor).filter(name__icontains=asked.words).order_by("name")
    for name in datasets.values_list("name", flat=True)[:ENOUGH]:
        yield line("database", name, "data set", reverse("pipelines:dataset", args=[name]))


def _people(actor: Actor, asked: Wanted) -> Lines:
    """For those whose pages people have; nobody is listed unasked."""
    if not asked.words or not (actor.holds_everywhere("administer") or actor.holds_everywhere("audit")):
        return
    named = Q(username__icontains=asked.words) | Q(person__name__icontains=asked.words)
    accounts = Account.objects.visible_to(actor).filter(named).order_by("username")
    for username, name in accounts.values_list("username", "person__name")[:ENOUGH]:
        yield line("user", name, f"account {username}", reverse("person", args=[username]))


def _views(actor: Actor, asked: Wanted) -> Lines:
    views = SavedView.objects.visible_to(actor).existing().filter(name__icontains=asked.words)
    for view in views.filter(page__in=LIST_PAGES).order_by("name")[:ENOUGH]:
        page = LIST_PAGES[view.page]
        yield line("filter", view.name, f"view of {page.word}", f"{page.address}?{view.query}")


def _pages(actor: Actor, asked: Wanted) -> Lines:
    for link in links():
        if link.right and not actor.holds_everywhere(link.right):
            continue
        if asked.words.lower() in link.word.lower():
            yield line(link.icon, link.word, link.key.upper(), link.address)


# Group -> the page with the list of them, and the filter there that takes the words.
LISTS = {
    "Models": ("/models/", "q"),
    "Requests": ("/approvals/", "model"),
    "Data sets": ("/data/", "q"),
    "Runs": ("/runs/", "q"),
}
GROUPS: dict[str, Callable[[Actor, Wanted], Lines]] = {
    "Actions": actions_for,
    "Versions": _versions,
    "Models": _models,
    "Requests": _requests,
    "Data sets": _datasets,
    "Runs": _runs,
    "People": _people,
    "Saved views": _views,
    "Pages": _pages,
}
