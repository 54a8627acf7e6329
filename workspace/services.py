"""Changes that belong to no single package."""

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, NotAllowed
from core.jobs.models import Job
from core.jobs.run import cancel

READING = frozenset({"view", "view_predictions", "predict", "audit"})


@command
def cancel_job(*, actor: Actor, job: Job) -> Job:
    """Stop a job: whoever asked for it, or an admin."""
    if actor.account_id != job.requested_by_id and not actor.holds_everywhere("administer"):
        raise NotAllowed("Only who asked for the job, or an admin, may stop it.")
    if actor.scopes is not None and actor.scopes <= READING:
        raise NotAllowed("This token may only read.", code="insufficient_scope")
    if job.is_over:
        raise Conflict(f"The job is {job.status}; there is nothing to stop.")
    cancel(job)
    record(actor=actor, action="workspace.job_cancelled", target=job, after={"kind": job.kind})
    return job
