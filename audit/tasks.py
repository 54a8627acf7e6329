"""Workers' doors of the ledger."""

from datetime import timedelta
from typing import Any

from audit import exports
from audit.models import Export
from core.actors import Actor
from core.errors import DomainError
from core.jobs.lease import Lease
from core.jobs.registry import job, periodic


@job("audit.export", queue="default", limit=timedelta(minutes=30), subject=Export)
def run_export(lease: Lease, export: Export) -> dict[str, Any]:
    """Make the file; a second delivery finds it made."""
    if export.status != Export.Status.WAITING:
        return {"export": str(export.pk)}
    actor = Actor.system(lease)
    lease.progress(5, "Writing events")
    try:
        made, verdict = exports.make_and_store(actor, export)
    except DomainError as error:
        exports.fail_export(actor=actor, export=export, failure=str(error))
        raise
    lease.check()
    exports.finish_export(actor=actor, export=export, made=made, verdict=verdict)
    return made


@periodic("audit.verify", every=timedelta(hours=6))
@job("audit.verify", queue="monitoring", limit=timedelta(minutes=30))
def verify_ledger(lease: Lease) -> dict[str, Any]:
    """Run the offline verifier over everything that is sealed."""
    lease.progress(5, "Reading the ledger")
    return exports.verify_whole_ledger(Actor.system(lease))
