"""Changes to data contracts, and what checks found."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, NotAllowed, PreconditionFailed
from core.events import emit
from core.jobs import enqueue
from core.jobs.models import Job
from core.text import checked_json, checked_text
from pipelines import rights
from pipelines.contracts import parse
from pipelines.models import ContractCheck, DataContract, Dataset, DatasetVersion

CHECK = "pipelines.check_version"
CONTRACT_CHECKED = "pipelines.contract_checked"
MOST_RECHECKED = 200


@command
def set_contract(
    *, actor: Actor, dataset: Dataset, document: Any, reason: str = "", expected_revision: int | None = None
) -> DataContract:
    """Give the data set a new revision of its contract; every version is checked against it."""
    if not rights.may_administer(actor, dataset):
        raise NotAllowed(f"You may not set the contract of {dataset}; it needs the right to administer.")
    contract = parse(document)
    reason = checked_text(reason, "reason", 1000, multiline=True)
    row = Dataset.objects.select_for_update().get(pk=dataset.pk)
    before = DataContract.objects.newest_of(row)
    current = before.revision if before else 0
    if expected_revision is not None and expected_revision != current:
        raise PreconditionFailed(
            f"The contract of {row} is at revision {current}, not {expected_revision}.",
            extra={"current_revision": current},
        )
    if before is not None and before.digest == contract.digest:
        return before
    made = DataContract.objects.create(
        dataset=row,
        revision=current + 1,
        document=contract.document,
        digest=contract.digest,
        reason=reason,
        created_by_id=actor.account_id,
    )
    made.refresh_from_db()
    record(
        actor=actor,
        action="pipelines.contract_set",
        target=row,
        before={"revision": current, "contract": before.document if before else None},
        after={"revision": made.revision, "contract": contract.document},
        reason=reason,
    )
    for version in row.versions.ready().only("pk", "dataset").order_by("-number")[:MOST_RECHECKED]:
        enqueue(CHECK, subject=version, actor=actor)
    return made


@command
def request_check(*, actor: Actor, version: DatasetVersion) -> Job:
    """Have a worker check a version against the newest contract again."""
    if not (rights.may_register(actor, version.dataset) or rights.may_administer(actor, version.dataset)):
        raise NotAllowed(f"You may not check {version}; it needs the right to register or administer.")
    if DataContract.objects.newest_of(version.dataset) is None:
        raise Conflict(f"{version.dataset} has no contract, so there is nothing to check.")
    if not version.digest:
        raise Conflict(
            f"{version} is {version.get_status_display().lower()}, so there is nothing to check yet."
        )
    record(actor=actor, action="pipelines.check_requested", target=version)
    return enqueue(CHECK, subject=version, actor=actor)


@command
def keep_check(
    *, actor: Actor, version: DatasetVersion, contract: DataContract, results: list[dict[str, Any]]
) -> ContractCheck:
    """Keep what a worker found, and tell whoever depends on the data."""
    if not actor.is_system:
        raise NotAllowed("Only a worker checks contracts.")
    failures = [each for each in results if each["status"] == "failed"]
    status = ContractCheck.Status.FAILED if failures else ContractCheck.Status.PASSED
    check, _ = ContractCheck.objects.update_or_create(
        version=version,
        contract=contract,
        defaults={"status": status, "results": checked_json(results, "results"), "checked_at": Now()},
    )
    check.refresh_from_db()
    after = {
        "revision": contract.revision,
        "status": status,
        "failed": [each["sentence"] for each in failures][:20],
    }
    outcome = "failed" if failures else "ok"
    record(actor=actor, action="pipelines.contract_checked", target=version, after=after, outcome=outcome)
    emit(CONTRACT_CHECKED, version, {"revision": contract.revision, "status": status})
    return check
