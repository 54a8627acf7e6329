"""Changes to aliases and stages. Protected ones move only with an approval, see ``move_protected_alias``."""

from __future__ import annotations

from collections.abc import Iterable

from audit.services import command, record
from core.actors import Actor, holds
from core.errors import Conflict, Invalid, NotAllowed, NotFound, PreconditionFailed
from core.etags import etag_of
from core.hot_reads import fetch_row
from core.looks import pass_for_each_other
from registry import rights
from registry.locks import changed_model, locked_model, own_version, touch
from registry.models import ALWAYS_PROTECTED, ModelAlias, ModelVersion, ProtectedAlias, RegisteredModel
from registry.names import NEWEST, checked_alias
from registry.services.seen import UNSEEN, Unseen

# MLflow's stage that says the same as a protected alias, and so moves only with it.
STAGE_OF_ALIAS = {"champion": ModelVersion.Stage.PRODUCTION}
PROTECTED_STAGES = frozenset(STAGE_OF_ALIAS.values())


class LooksAlike(Invalid):
    """A name made to pass for another one: an attempt worth a denied event."""

    code = "alias_confusable"


PROTECTED_NAMES = "SELECT array_agg(name::text) FROM registry_protectedalias"
# Where the alias pointed, as it is pointed at a version of the model that exists; else no row.
POINT = """WITH known AS (SELECT w.number, w.digest FROM registry_modelalias a
   JOIN registry_modelversion w ON w.id = a.version_id WHERE a.model_id = %(model)s AND a.name = %(name)s),
  target AS (SELECT v.id, v.number, v.digest, v.status FROM registry_modelversion v
   WHERE v.id = %(version)s AND v.model_id = %(model)s AND v.deleted_at IS NULL),
  pointed AS (INSERT INTO registry_modelalias AS a (model_id, name, version_id, set_by_name, set_at)
   SELECT %(model)s, %(name)s, target.id, %(by)s, statement_timestamp() FROM target
   ON CONFLICT (model_id, name) DO UPDATE
   SET version_id = EXCLUDED.version_id, set_by_name = EXCLUDED.set_by_name, set_at = EXCLUDED.set_at
   RETURNING a.id, a.set_at)
 SELECT pointed.id, pointed.set_at, target.number, target.digest, target.status,
  (SELECT number FROM known), (SELECT digest FROM known) FROM pointed, target"""


def protected_names() -> frozenset[str]:
    """The alias names that move only with approvals."""
    found = fetch_row(PROTECTED_NAMES, [])
    return ALWAYS_PROTECTED.union(found[0] or () if found else ())


def is_protected_alias(name: str) -> bool:
    """Whether an alias of this name follows the live deployment of a protected environment."""
    return name in ALWAYS_PROTECTED or name in protected_names()


@command(refusals=(NotAllowed, LooksAlike))
def set_alias(
    *,
    actor: Actor,
    model: RegisteredModel,
    alias: str,
    version: ModelVersion,
    seen: ModelAlias | Unseen | None = UNSEEN,
) -> ModelAlias:
    """Point a free alias at a version of the model, where it still is as its caller has ``seen`` it."""
    alias = checked_alias(alias)
    row = changed_model(actor, model)
    _require(actor, row, f"set the alias {alias} of")
    names = protected_names()
    _refuse_protected(alias, row, names)
    refuse_lookalike(alias, names)
    _require_as_seen(row, alias, seen)
    return _point(actor, row, alias, version)


@command
def delete_alias(
    *, actor: Actor, model: RegisteredModel, alias: str, seen: ModelAlias | Unseen | None = UNSEEN
) -> bool:
    """Remove a free alias, where it still is as ``seen``; False when there was none."""
    alias = checked_alias(alias)
    _require(actor, model, f"delete the alias {alias} of")
    _refuse_protected(alias, model, protected_names())
    row = locked_model(model)
    _require_as_seen(row, alias, seen)
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
        touch(row)
        return _point(actor, row, alias, version, must_be_ready=True)
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


def alias_etag(alias: ModelAlias) -> str:
    return etag_of(alias.pk, alias.version_id, alias.set_at)


def _require_as_seen(model: RegisteredModel, alias: str, seen: ModelAlias | Unseen | None) -> None:
    """The model is locked, so that what is found here stands until the alias has changed."""
    if isinstance(seen, Unseen):
        return
    known = ModelAlias.objects.filter(model=model, name=alias).first()
    current = alias_etag(known) if known is not None else None
    if current != (alias_etag(seen) if seen is not None else None):
        raise PreconditionFailed(
            f"The alias {alias} of {model} has changed since you read it. Read it again and repeat your change.",
            extra={"current_etag": current},
        )


def _point(
    actor: Actor, model: RegisteredModel, alias: str, version: ModelVersion, *, must_be_ready: bool = False
) -> ModelAlias:
    """Point the alias of the locked model; the version is locked with it, as every change of it is."""
    asked = {"model": model.pk, "name": alias, "version": version.pk, "by": actor.account_name}
    found = fetch_row(POINT, asked)
    if found is None:
        raise _not_its_own(model, version)
    pk, set_at, number, digest, status, former_number, former_digest = found
    if must_be_ready and status != ModelVersion.Status.READY:
        raise Conflict(f"{version} is {ModelVersion.Status(status).label.lower()}, so it cannot be {alias}.")
    record(
        actor=actor,
        action="registry.alias_set",
        target=model,
        before={"version": former_number, "digest": former_digest},
        after={"version": number, "digest": digest},
        extra={"alias": alias, "version": number},
    )
    return ModelAlias(
        pk=pk, model=model, name=alias, version=version, set_by_name=actor.account_name, set_at=set_at
    )


def _not_its_own(model: RegisteredModel, version: ModelVersion) -> Conflict | NotFound:
    if version.model_id != model.pk:
        return Conflict(f"{version} is not a version of {model}.")
    return NotFound(f"{model} has no version {version.number}.")


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


def _refuse_protected(alias: str, model: RegisteredModel, names: frozenset[str]) -> None:
    if alias in names:
        raise NotAllowed(
            f"The alias {alias} of {model} is protected: it follows the approved, live version."
            " Request a promotion instead.",
            code="protected_alias",
        )


def refuse_lookalike(alias: str, names: Iterable[str] | None = None) -> None:
    """``Champion`` on another version than ``champion`` would pass for the approved one."""
    for name in (NEWEST, *(protected_names() if names is None else names)):
        if pass_for_each_other(alias, name):
            raise LooksAlike(
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
