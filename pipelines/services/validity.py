"""May this data be used? What depends on data asks here first."""

from __future__ import annotations

from uuid import UUID

from core.errors import Conflict
from pipelines.models import DataContract, DatasetVersion

Reason = tuple[str, str]
MOST_GENERATIONS = 20


def require_valid(version: DatasetVersion) -> None:
    """Raise Conflict with the sentence of the rule that fails, or of what is missing."""
    _refuse(version, why_invalid(version))


def require_usable(version: DatasetVersion) -> None:
    """Raise Conflict when the version, or one it was made from, is quarantined or cannot be read."""
    _refuse(version, why_withheld(version))


def why_invalid(version: DatasetVersion) -> Reason | None:
    """Code and sentence of what forbids the use of a version; None when nothing does.

    A version cut from others is as valid as they are, unless its data set has a contract itself;
    quarantine reaches it whatever its own contract says.
    """
    if (withheld := why_withheld(version)) is not None:
        return withheld
    contract = DataContract.objects.newest_of(version.dataset)
    if contract is None:
        parents = version.parents.select_related("dataset") if version.derivation else []
        return next(filter(None, map(why_invalid, parents)), None)
    check = version.checks.filter(contract=contract).first()
    if check is None:
        return "contract_unchecked", f"{version} has not been checked against its contract yet."
    if check.has_passed:
        return None
    first = check.failures[0]["sentence"]
    more = len(check.failures) - 1
    others = f" And {more} more rule{'s' * (more > 1)} fail{'s' * (more == 1)}." if more else ""
    return "contract_failed", f"{version} breaks its contract: {first}{others}"


def why_withheld(version: DatasetVersion) -> Reason | None:
    """What keeps a version from being used at all: its own status, or that of what it was made from."""
    if not version.is_ready:
        return "data_not_ready", _withheld(version)
    if not version.derivation:
        return None
    for parent in ancestors_of(version):
        if parent.status == DatasetVersion.Status.QUARANTINED:
            return "data_not_ready", f"{version} was made from data that is withheld: {_withheld(parent)}"
    return None


def ancestors_of(version: DatasetVersion) -> list[DatasetVersion]:
    """Every version this one was made from, a generation per query."""
    return _reached(version, "children")


def descendants_of(version: DatasetVersion) -> list[DatasetVersion]:
    """Every version made from this one."""
    return _reached(version, "parents")


def _reached(version: DatasetVersion, link: str) -> list[DatasetVersion]:
    found: dict[UUID, DatasetVersion] = {}
    edge = {version.pk}
    for _ in range(MOST_GENERATIONS):
        rows = (
            DatasetVersion.objects.in_lists()
            .filter(**{f"{link}__in": edge})
            .exclude(pk__in=[*found, version.pk])
        )
        fresh = {each.pk: each for each in rows.distinct()}
        if not fresh:
            break
        found |= fresh
        edge = set(fresh)
    return sorted(found.values(), key=lambda each: (each.dataset.name, each.number))


def _withheld(version: DatasetVersion) -> str:
    because = version.quarantine_reason or version.failure
    words = f"{version} is {version.get_status_display().lower()}"
    return f"{words}: {because}" if because else f"{words}."


def _refuse(version: DatasetVersion, reason: Reason | None) -> None:
    if reason is not None:
        code, sentence = reason
        raise Conflict(
            sentence, code=code, extra={"dataset": version.dataset.name, "version": version.number}
        )
