"""Changes to aliases and stages. Protected ones move only with an approval, see ``move_protected_alias``."""

from __future__ import annotations

from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor, holds
from core.errors import Conflict, Invalid, NotAllowed
from registry import rights
from registry.locks import locked_model, own_version, touch
from registry.models import ALWAYS_PROTECTED, ModelAlias, ModelVersion, ProtectedAlias, RegisteredModel
from registry.names import NEWEST, checked_alias, pass_for_each_other

# MLflow's stage that says the same as a protected alias, and so moves only with it.
STAGE_OF_ALIAS = {"champion": ModelVersion.Stage.PRODUCTION}
PROTECTED_STAGES = frozenset(STAGE_OF_ALIAS.values())


def is_protected_alias(name: str) -> bool:
    """Whether an alias of this name follows the live deployment of a protected environment."""
    return name in ALWAYS_PROTECTED or ProtectedAlias.objects.filter(name=name).exists()


@command
def set_alias(*, actor: Actor, model: RegisteredModel, alias: str, version: ModelVersion) -> ModelAlias:
    """Point a free alias at a version of the model."""
    alias = checked_alias(alias)
    _require(actor, model, f"set the alias {alias} of")
    _refuse_protected(alias, model)
    refuse_lookalike(alias)
    return _point(actor, locked_model(model), alias, version)


@command
def delete_alias(*, actor: Actor, model: RegisteredModel, alias: str) -> bool:
    """Remove a free alias; False when there was none."""
    alias = checked_alias(alias)
    _require(actor, model, f"delete the alias {alias} of")
    _refuse_protected(alias, model)
    row = locked_model(model)
    known = ModelAlias.objects.filter(model=row, name=alias).select_related("version").first()
    if known is None:
        return False
    known.delete()
    touch(row)
    record(
        actor=actor,
        action="registry.alias_deleted",
        target=row,
        before={"version": known.version.number},
        extra={"alias": alias},
    )
    return True


@command
def move_protected_alias(
    *, actor: Actor, model: RegisteredModel, alias: str, version: ModelVersion | None
) -> ModelAlias | None:
    """Let a protected alias follow the live deployment, in the transaction that made it live.

    For deployments and approvals only, which have settled the rights; ``version`` None removes
    the alias when nothing is live any more. The stage of MLflow that means the same goes along.
    """
    if not is_protected_alias(alias):
        raise Conflict(f"{alias} is not a protected alias.")
    row = locked_model(model)
    _move_stage(actor, row, alias, version)
    if version is not None:
        return _point(actor, row, alias, version)
    known = ModelAlias.objects.filter(model=row, name=alias).select_related("version").first()
    if known is not None:
        known.delete()
        touch(row)
        before = {"version": known.version.number}
        record(
            actor=actor, action="registry.alias_deleted", target=row, before=before, extra={"alias": alias}
        )
    return None


@command
def protect_alias(*, actor: Actor, alias: str) -> None:
    """Let an alias name move only with approvals from now on (a policy names it)."""
    _require_everywhere(actor)
    alias = checked_alias(alias)
    if ProtectedAlias.objects.get_or_create(name=alias)[1]:
        record(actor=actor, action="registry.alias_protected", after={"alias": alias})


@command
def unprotect_alias(*, actor: Actor, alias: str) -> None:
    """Set an alias name free; ``champion`` stays protected."""
    _require_everywhere(actor)
    if alias in ALWAYS_PROTECTED:
        raise Conflict(f"The alias {alias} is always protected.")
    if ProtectedAlias.objects.filter(name=alias).delete()[0]:
        record(actor=actor, action="registry.alias_unprotected", before={"alias": alias})


@command
def transition_stage(
    *, actor: Actor, version: ModelVersion, stage: str, archive_existing: bool = False
) -> ModelVersion:
    """Change MLflow's old stage of a version; Production moves only with the alias champion."""
    stage = checked_stage(stage)
    model = version.model
    _require(actor, model, f"change the stage of version {version.number} of")
    row = own_version(model, version)
    if stage in PROTECTED_STAGES and row.stage != stage:
        raise NotAllowed(
            f"The stage {stage} is protected: it follows the approved, live version. Request a promotion instead.",
            code="protected_stage",
        )
    if row.stage in PROTECTED_STAGES and row.stage != stage:
        raise Conflict(f"{row} is live in the stage {row.stage}; it leaves it by promotion or rollback.")
    if (
        row.model.aliases.filter(version=row, name__in=STAGE_OF_ALIAS).exists()
        and stage not in PROTECTED_STAGES
    ):
        raise Conflict(f"{row} is live; it leaves its stage by promotion or rollback.")
    if archive_existing and stage == ModelVersion.Stage.STAGING:
        for other in row.model.versions.existing().filter(stage=stage).exclude(pk=row.pk):
            _set_stage(actor, other, ModelVersion.Stage.ARCHIVED)
    _set_stage(actor, row, stage)
    return row


def checked_stage(value: object) -> str:
    """MLflow's stages, in any case of letters."""
    for stage in ModelVersion.Stage.values:
        if isinstance(value, str) and value.lower() == stage.lower():
            return str(stage)
    allowed = ", ".join(ModelVersion.Stage.values)
    raise Invalid(f"stage must be one of: {allowed}.", field="stage", allowed=allowed)


def _point(actor: Actor, model: RegisteredModel, alias: str, version: ModelVersion) -> ModelAlias:
    version = own_version(model, version)
    if is_protected_alias(alias) and not version.is_ready:
        raise Conflict(f"{version} is {version.get_status_display().lower()}, so it cannot be {alias}.")
    known = ModelAlias.objects.filter(model=model, name=alias).select_related("version").first()
    before = (known.version.number, known.version.digest) if known else (None, None)
    pointed, _ = ModelAlias.objects.update_or_create(
        model=model,
        name=alias,
        defaults={"version": version, "set_by_name": actor.account_name, "set_at": Now()},
    )
    touch(model)
    record(
        actor=actor,
        action="registry.alias_set",
        target=model,
        before={"version": before[0], "digest": before[1]},
        after={"version": version.number, "digest": version.digest},
        extra={"alias": alias, "version": version.number},
    )
    return pointed


def _move_stage(actor: Actor, model: RegisteredModel, alias: str, version: ModelVersion | None) -> None:
    stage = STAGE_OF_ALIAS.get(alias)
    if stage is None:
        return
    for former in model.versions.existing().filter(stage=stage):
        if version is None or former.pk != version.pk:
            _set_stage(actor, former, ModelVersion.Stage.ARCHIVED)
    if version is not None:
        _set_stage(actor, version, stage)


def _set_stage(actor: Actor, version: ModelVersion, stage: str) -> None:
    before = version.stage
    if before == stage:
        return
    ModelVersion.objects.filter(pk=version.pk).update(stage=stage)
    version.stage = stage
    touch(version)
    record(
        actor=actor,
        action="registry.stage_changed",
        target=version,
        before={"stage": before},
        after={"stage": stage},
    )


def _refuse_protected(alias: str, model: RegisteredModel) -> None:
    if is_protected_alias(alias):
        raise NotAllowed(
            f"The alias {alias} of {model} is protected: it follows the approved, live version."
            " Request a promotion instead.",
            code="protected_alias",
        )


def refuse_lookalike(alias: str) -> None:
    """``Champion`` on another version than ``champion`` would pass for the approved one."""
    for name in (*ALWAYS_PROTECTED, NEWEST, *ProtectedAlias.objects.values_list("name", flat=True)):
        if pass_for_each_other(alias, name):
            raise Invalid(
                f"The alias {alias!r} looks like the alias {name}, which is not free; choose a name that people"
                " can tell apart.",
                field="alias",
                allowed=f"an alias that does not look like {name}",
            )


def _require(actor: Actor, model: RegisteredModel, what: str) -> None:
    if not (rights.may_register(actor, model) or rights.may_administer(actor, model)):
        raise NotAllowed(f"You may not {what} {model}; it needs the right to register.")


def _require_everywhere(actor: Actor) -> None:
    if not holds(actor, "administer"):
        raise NotAllowed(
            "You may not protect aliases; it needs the right to administer, which the role admin has."
        )
