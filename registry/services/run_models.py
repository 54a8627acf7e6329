"""Registering what a run logged, from its page: once, however often the form is sent."""

from __future__ import annotations

from django.db.models import Q

from audit.services import command
from core.actors import Actor
from core.errors import NotAllowed, ProbedName
from registry import rights
from registry.locks import locked_model
from registry.models import ModelVersion, RegisteredModel
from registry.services.models import create_model
from registry.services.versions import create_version
from registry.taken import ConfusableName


@command(refusals=(NotAllowed, ProbedName, ConfusableName))
def register_logged(
    *,
    actor: Actor,
    name: str,
    model: RegisteredModel | None,
    source: str,
    run_id: str,
    logged_model_id: str,
    after: int | None = None,
) -> tuple[ModelVersion, bool]:
    """The version made from these files, and whether it was made now.

    Without ``model`` one of this ``name`` is created with it, or neither. The files of a run that
    are registered already, or are being, get no second number in the same model, unless they have
    changed since the version ``after``, the newest made from them.
    """
    if model is None:
        model = create_model(actor=actor, name=name)
    elif not rights.may_register(actor, model):
        raise NotAllowed(f"You may not register versions of {model}; it needs the right to register.")
    elif (known := _registered(locked_model(model), source, logged_model_id)) and known.number != after:
        return known, False
    version = create_version(
        actor=actor, model=model, source=source, run_id=run_id, logged_model_id=logged_model_id
    )
    return version, True


def already_registered(actor: Actor, name: str, source: str, logged_model_id: str) -> ModelVersion | None:
    """What a first sending of the same form made under a name that was free then."""
    model = RegisteredModel.objects.granting(actor, "register").named(name).first()
    return _registered(model, source, logged_model_id) if model else None


def _registered(model: RegisteredModel, source: str, logged_model_id: str) -> ModelVersion | None:
    same = Q(source=source)
    if logged_model_id:
        same |= Q(logged_model_id=logged_model_id)
    of_model = ModelVersion.objects.existing().in_lists().filter(same, model=model)
    failed = ModelVersion.Status.FAILED_REGISTRATION
    return of_model.exclude(status=failed).select_related("model").order_by("-number").first()
