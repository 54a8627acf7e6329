"""Pages of runs: where the links that MLflow's clients print lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from core.doors import PageRequest, sign_in_required
from core.errors import Conflict, Invalid
from core.filters import asked
from registry.models import ModelVersion
from registry.runs.asked import Asked
from registry.runs.comparing import FEWEST, MOST, comparison_of
from registry.runs.curves import curve_of, figure_of
from registry.runs.files import folder_of
from registry.runs.forms import RegisterForm, RunFilterForm, registrable
from registry.runs.listing import RunPage, orders_of, runs_of
from registry.runs.reading import family_of, is_own, logged_models_of, shown_run
from registry.runs.registering import named_folder, offers_of, register
from registry.runs.shown import ShownRun
from registry.runs.sight import find_run
from registry.runs.since import since
from registry.snippets import of_first_version, of_restoring, of_run
from registry.tracked import Run

SHOWN_ON_RUN = 20
SUGGESTED = 200


@sign_in_required
@require_GET
def run_list(request: PageRequest) -> HttpResponse:
    """The reader's own runs, newest first or by a metric; or the parts of one, ``?parent=``."""
    return _run_list(request)


def _run_list(request: PageRequest, ticked: Sequence[str] = (), refused: str = "") -> HttpResponse:
    """Again with what was ``ticked`` where that was ``refused``."""
    form = RunFilterForm(request.GET)
    wanted, page = request.GET, request.GET.get("page", "")
    named = {name: wanted.get(name, "") for name in ("experiment", "sort", "parent")}
    of = Asked(**named, **asked(form))
    shown = _found(request, form, of, page)
    kept = {field.name: value for field in fields(of) if (value := getattr(of, field.name))}
    here = reverse("runs:runs")
    context = {
        "shown": shown,
        "asked": of,
        "filters": form,
        "orders": orders_of(of, shown),
        "kept": {**kept, **({"page": page} if page else {})},
        "ticked": ticked,
        "refused": refused,
        "newest": f"{here}?{urlencode(kept)}" if page else "",
        "older": f"{here}?{urlencode({**kept, 'page': shown.next_page})}" if shown.next_page else "",
        "snippet": of_first_version("my-model"),
        "trail": _trail(shown.parent.run, "Its parts", is_own=shown.parent.is_own)
        if shown.parent
        else [("Models", reverse("registry:models")), ("My runs", "")],
    }
    return render(request, "runs/run_list.html", context, status=422 if refused or form.errors else 200)


def _found(request: PageRequest, form: RunFilterForm, of: Asked, page: str) -> RunPage:
    """Nothing, and the refusal at its field, for a filter that MLflow does not understand."""
    try:
        return runs_of(request.actor, of, page)
    except Invalid as error:
        if error.field != "filter":
            raise
        form.add_error("filter", error.message)
        return RunPage([], "", "")


@sign_in_required
@require_GET
def run_detail(request: PageRequest, run_id: str) -> HttpResponse:
    """What a run logged, which files it kept, and which versions were made from it."""
    run = find_run(request.actor, run_id)
    shown, models = shown_run(request.actor, run), logged_models_of(request.actor, run)
    context = {
        "shown": shown,
        "run": run,
        "target": run.target,
        "family": family_of(request.actor, run),
        "models": models,
        "folder": folder_of(request.actor, run),
        "shown_files": SHOWN_ON_RUN,
        "shown_slice": f":{SHOWN_ON_RUN}",
        "may_register": shown.is_own and bool(offers_of(request.actor, run, models)),
        "snippets": of_run(run),
        "restoring": of_restoring(run) if shown.is_own else [],
        "trail": _trail(run, is_own=shown.is_own),
    }
    return render(request, "runs/run_detail.html", context)


@sign_in_required
@require_GET
def run_files(request: PageRequest, run_id: str) -> HttpResponse:
    """One folder: ``?path=`` below the run's own files, or below those of its logged model ``?model=``."""
    run = find_run(request.actor, run_id)
    folder = folder_of(request.actor, run, request.GET.get("path", ""), request.GET.get("model", ""))
    models = [] if folder.path or folder.model else logged_models_of(request.actor, run)
    context = {
        "run": run,
        "folder": folder,
        "models": models,
        "may_register": is_own(request.actor, run) and folder.is_model and not run.is_deleted,
        "trail": _trail(run, "Files", is_own=is_own(request.actor, run)),
    }
    return render(request, "runs/run_files.html", context)


@sign_in_required
@require_GET
def run_metric(request: PageRequest, run_id: str) -> HttpResponse:
    """The course of the metric ``?name=``."""
    run = find_run(request.actor, run_id)
    curve = curve_of(run, request.GET.get("name", ""))
    context = {
        "run": run,
        "curve": curve,
        "figure": figure_of(curve),
        "head": ["Step", "Value"],
        "csv": f"{reverse('runs:metric-values', args=[run.id])}?{urlencode({'name': curve.name})}",
        "trail": _trail(run, curve.name, is_own=is_own(request.actor, run)),
    }
    return render(request, "runs/run_metric.html", context)


@sign_in_required
@require_GET
def compare_runs(request: PageRequest) -> HttpResponse:
    """Some runs, each named as ``run``, or two as ``a`` and ``b``; without that the list to choose from."""
    named = request.GET.getlist("run") or [request.GET.get("a", ""), request.GET.get("b", "")]
    chosen = list(dict.fromkeys(filter(None, named)))
    if not FEWEST <= len(chosen) <= MOST:
        said = f"{len(chosen)} {'was' if len(chosen) == 1 else 'were'}" if chosen else "none was"
        return _run_list(request, chosen, f"Choose {FEWEST} to {MOST} runs to compare; {said} chosen.")
    found = comparison_of(request.actor, chosen)
    mine = [("My runs", reverse("runs:runs"))] if all(each.is_own for each in found.runs) else []
    context = {
        "comparison": found,
        "runs": found.runs,
        "turned": "?" + urlencode({"run": chosen[::-1]}, doseq=True),
        "trail": [("Models", reverse("registry:models")), *mine, ("Compare", "")],
    }
    return render(request, "runs/compare.html", context)


@sign_in_required
@require_http_methods(["GET", "POST"])
def register_run(request: PageRequest, run_id: str) -> HttpResponse:
    """Make what the run logged a version; ``?path=`` names a folder its tags do not."""
    run = find_run(request.actor, run_id)
    if run.is_deleted:
        raise Conflict("The run was deleted; restore it before a version is made from it.")
    offers = offers_of(request.actor, run)
    named = named_folder(request.actor, run, request.GET.get("path", ""))
    offers += [each for each in named if each.source not in {one.source for one in offers}]
    form = RegisterForm(
        request.POST or None,
        actor=request.actor,
        offered=[(each.source, each.words) for each in offers],
        initial={"what": request.GET.get("what") or (named[0].source if named else None)},
    )
    version = changes = None
    if request.method == "POST" and form.is_valid():
        version = register(request.actor, run, offers, form)
        changes = None if version is None or form.is_new else since(run, version)
        if version is not None and not (changes and changes.groups):
            _say(request, form, version, is_compared=changes is not None)
            return redirect("registry:version", name=version.model.name, number=version.number)
    context = {
        "run": run,
        "form": form,
        "known": version,
        "changes": changes,
        "offers": offers,
        "suggested": _suggested(request),
        "trail": _trail(run, "Register a version", is_own=is_own(request.actor, run)),
    }
    status = 409 if changes else form.status if form.errors else 200
    return render(request, "runs/run_register.html", context, status=status)


def _say(request: PageRequest, form: RegisterForm, version: ModelVersion, *, is_compared: bool) -> None:
    nothing = "Nothing was registered anew."
    if form.is_new:
        messages.success(request, f"{version} is being registered.")
    elif is_compared:
        messages.warning(request, f"These files are {version} already, and the same since. {nothing}")
    elif version.is_ready:
        messages.warning(request, f"{version} was made from these files, which cannot be read now. {nothing}")
    else:
        messages.warning(request, f"{version} is being made from these files. {nothing}")


def _suggested(request: PageRequest) -> list[str]:
    """Names the browser completes: the models changed last, of those in which the person may register."""
    models: Any = registrable(request.actor)
    found = models.order_by("-last_updated_at").values_list("name", flat=True)[:SUGGESTED]
    return sorted(found)


def _trail(run: Run, *below: str, is_own: bool) -> list[tuple[str, str]]:
    """Somebody else's run is not among the reader's."""
    name = ShownRun(run, "", (), ()).name
    mine = [("My runs", reverse("runs:runs"))] if is_own else []
    here = reverse("runs:run", args=[run.id]) if below else ""
    return [("Models", reverse("registry:models")), *mine, (name, here), *((word, "") for word in below)]
