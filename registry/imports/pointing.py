"""Aliases and stages: free ones come, protected ones are named with what they pointed at."""

from __future__ import annotations

from core.actors import Actor
from core.errors import DomainError
from registry.imports import services
from registry.imports.models import ImportedModel
from registry.imports.report import Report
from registry.imports.server import FoundModel, FoundVersion
from registry.models import ModelVersion
from registry.names import checked_alias
from registry.services import is_protected_alias
from registry.services.aliases import PROTECTED_STAGES, refuse_lookalike


def bring_aliases(
    actor: Actor, found: FoundModel, imported: ImportedModel | None, numbers: set[int], report: Report
) -> None:
    """Each alias of a model, once its versions came; ``numbers`` are those that are here or would be."""
    for alias, number in sorted(found.aliases.items()):
        name = f"{alias} of {found.name}"
        try:
            if is_protected_alias(alias):
                report.could_not("alias", name, _protected(found, imported, number))
            elif here := _here(imported, alias, number):
                report.here("alias", name, here.strip())
            elif number not in numbers:
                report.could_not("alias", name, f"It points at version {number}, which has not come.")
            else:
                _set(actor, imported, alias, number, report)
                report.came("alias", name)
        except DomainError as error:
            report.could_not("alias", name, error)


def note_stage(found: FoundVersion, report: Report) -> None:
    """Stages came with the version, but for Production, which follows what is live here."""
    if found.stage in services.FREE_STAGES:
        report.came("stage", f"{found.stage} of {found}")
    elif found.stage in PROTECTED_STAGES:
        why = "It follows the approved, live version: request a promotion of this version to go on with it."
        report.could_not("stage", f"{found.stage} of {found}", why)


def _set(actor: Actor, imported: ImportedModel | None, alias: str, number: int, report: Report) -> None:
    if imported is None or report.is_rehearsal:
        checked_alias(alias)
        refuse_lookalike(alias)
        return
    version = _version(imported, number)
    assert version is not None
    services.import_alias(actor=actor, home=imported, alias=alias, version=version)


def _here(imported: ImportedModel | None, alias: str, number: int) -> str:
    """Why the alias is left as it is, a space where there is nothing to say; empty when it may come."""
    if imported is None:
        return ""
    pointed = imported.model.aliases.filter(name=alias).select_related("version").first()
    if pointed is None:
        return "It came before and was removed here since." if alias in imported.aliases else ""
    version = _version(imported, number)
    if version is not None and version.pk == pointed.version_id:
        return " "
    return f"It points at version {pointed.version.number} here and at {number} there; left as it is."


def _protected(found: FoundModel, imported: ImportedModel | None, number: int) -> str:
    version = _version(imported, number) if imported else None
    here = f", which is version {version.number} here" if version and version.number != number else ""
    return (
        f"It is protected and moves only with an approval; on the server it points at version {number}{here}."
        f" Request a promotion of {found.name} v{version.number if version else number}."
    )


def _version(imported: ImportedModel, number: int) -> ModelVersion | None:
    known = imported.versions.filter(number=number, version__deleted_at__isnull=True)
    found = known.select_related("version").first()
    return found.version if found else None
