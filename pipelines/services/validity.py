"""May this data be used? What depends on data asks here first."""

from __future__ import annotations

from core.errors import Conflict
from pipelines.models import DatasetVersion

Reason = tuple[str, str]


def require_valid(version: DatasetVersion) -> None:
    """Raise Conflict with the sentence of the rule that fails, or of what is missing."""
    reason = why_invalid(version)
    if reason is not None:
        code, sentence = reason
        raise Conflict(
            sentence, code=code, extra={"dataset": version.dataset.name, "version": version.number}
        )


def why_invalid(version: DatasetVersion) -> Reason | None:
    """Code and sentence of what forbids the use of a version; None when nothing does.

    A version cut from others is as valid as they are, unless its data set has a contract itself.
    """
    if version.status != DatasetVersion.Status.READY:
        because = f": {version.quarantine_reason or version.failure}" if _says_why(version) else ""
        return "data_not_ready", f"{version} is {version.get_status_display().lower()}{because}."
    contract = version.dataset.contract()
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


def _says_why(version: DatasetVersion) -> bool:
    return bool(version.quarantine_reason or version.failure)
