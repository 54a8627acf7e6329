"""What of a run can be registered, and registering it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed
from registry import services
from registry.models import ModelVersion
from registry.ownership import refuse_early
from registry.runs.files import folder_of
from registry.runs.forms import RegisterForm
from registry.runs.reading import logged_models_of
from registry.services.versions import checked_owners
from registry.sources import checked_path, parse_source
from registry.tracked import LoggedModel, Run

# Clients before MLflow 3 keep a model's files in the run and say where in this tag.
HISTORY = "mlflow.log-model.history"
MOST_OFFERED = 60


@dataclass(frozen=True)
class Offer:
    """One model that the run logged; ``source`` is what its version is registered from."""

    source: str
    words: str
    logged_model_id: str = ""


def offers_of(actor: Actor, run: Run, models: Sequence[LoggedModel] | None = None) -> list[Offer]:
    """Its logged models, and the folders it says hold one; nothing of a run that was deleted."""
    if run.is_deleted:
        return []
    known = logged_models_of(actor, run) if models is None else models
    logged = [Offer(f"models:/{each.id}", f"{each.name}, {each.id}", each.id) for each in known]
    names = {each.name for each in known}
    folders = [folder_offer(run, path) for path in _folders(run) if path not in names]
    return [*logged, *folders][:MOST_OFFERED]


def folder_offer(run: Run, path: str) -> Offer:
    return Offer(f"runs:/{run.id}/{path}", f"folder {path}")


def named_folder(actor: Actor, run: Run, path: str) -> list[Offer]:
    """A folder that the reader came from, where it holds a model."""
    path = checked_path(path, "path")
    return [folder_offer(run, path)] if path and folder_of(actor, run, path).is_model else []


def register(actor: Actor, run: Run, offers: Sequence[Offer], form: RegisterForm) -> ModelVersion | None:
    """The version, new or of the first sending; None with the refusal at its field."""
    offer = next(each for each in offers if each.source == form.cleaned_data["what"])
    what = {"source": offer.source, "logged_model_id": offer.logged_model_id}
    name = form.cleaned_data["name"]
    try:
        parsed = parse_source(offer.source)
        refuse_early(actor, parsed, *checked_owners(parsed, run.id, offer.logged_model_id))
        version, form.is_new = services.register_logged(
            actor=actor, name=name, model=form.model, run_id=run.id, after=form.cleaned_data["after"], **what
        )
    except Conflict as error:
        form.is_new = False
        if form.model is None and (known := services.already_registered(actor=actor, name=name, **what)):
            return known
        form.refuse(error.field, error.message, status=422)
    except Invalid as error:
        form.refuse(error.field, error.message, status=422)
    except NotAllowed as error:
        form.refuse("name", error.message, status=403)
    else:
        return version
    return None


def _folders(run: Run) -> list[str]:
    """As far as the tag says; it is what a client wrote."""
    try:
        said = json.loads(run.tags.get(HISTORY, "") or "[]")
        found = {str(each["artifact_path"]) for each in said}
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
    return sorted(filter(None, map(_plain, found)))


def _plain(path: str) -> str:
    """Empty where no folder can be named so."""
    try:
        return checked_path(path, "path")
    except Invalid:
        return ""
