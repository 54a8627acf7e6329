"""Jobs in words: what is done, and what follows when it is done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from core.actors import Actor
from core.jobs.models import Job
from core.jobs.registry import schedules
from workspace.audit_places import places_of
from workspace.job_subjects import subjects_of

# Kind -> what the worker does, and what happens after it succeeded.
WORDS = {
    "approvals.execute": ("Carry out an approved request", "the release starts"),
    "approvals.expire_requests": ("Close requests that nobody decided in time", ""),
    "approvals.judge_gates": ("Judge the gates of a request", "reviewers see every gate on the request"),
    "audit.export": ("Make an export of the audit trail", "the file can be downloaded"),
    "audit.verify": ("Verify the whole audit trail", "the audit trail's page says what was found"),
    "core.clean_staging": ("Remove what interrupted uploads left behind", ""),
    "core.collect_unreferenced": ("Remove stored files that nothing refers to", ""),
    "core.deliver_event": ("Tell other parts of a change", ""),
    "deployments.advance_rollout": ("Take the next step of a rollout", "more traffic goes to the version"),
    "deployments.seal_segments": ("Seal finished parts of the prediction log", ""),
    "deployments.start": ("Start serving a version", "the rollout begins with its first step"),
    "deployments.watch_rollouts": ("Look after running rollouts", ""),
    "monitoring.look_after_watches": ("Find endpoints whose figures are due", ""),
    "monitoring.make_reference": ("Describe the training data for drift", "live data is compared with it"),
    "monitoring.refresh": ("Compute quality, drift and latency of an endpoint", "its dashboard shows them"),
    "monitoring_costs.price_days": ("Price finished days", "the costs page shows them"),
    "pipelines.check_version": (
        "Check a data set version against its contract",
        "the version's page says what holds",
    ),
    "pipelines.compare_versions": ("Compare two data set versions", "the comparison shows what differs"),
    "pipelines.fail_stalled_runs": ("Find pipeline runs that stopped answering", ""),
    "pipelines.profile_version": (
        "Read and describe a data set version",
        "it is checked against its contract",
    ),
    "pipelines.run": ("Run a pipeline", "what it made is registered"),
    "pipelines.run_query": ("Read rows from a source", "they become a data set version"),
    "pipelines.watch_freshness": ("Find data sets that are late", ""),
    "registry.check_signature": ("Check who signed a version", "the version's page names the signer"),
    "registry.evaluate": ("Score a version on held-out rows", "gates that need the figures are judged"),
    "registry.fail_stalled_evaluations": ("Find evaluations that stopped answering", ""),
    "registry.fail_stalled_scans": ("Find scans that stopped answering", ""),
    "registry.fail_stalled_versions": ("Find registrations that stopped answering", ""),
    "registry.finalise_version": ("Copy and hash the files of a version", "the version is ready"),
    "registry.follow_runs": ("Find runs that ended after their version was registered", ""),
    "registry.clean_half_uploads": ("Remove files that never came whole", ""),
    "registry.forget_uploads": ("Forget uploads that nobody finished", ""),
    "registry.scan_unscanned": ("Find versions that were never scanned", ""),
    "registry.scan_version": ("Scan the files of a version", "the version's page shows the findings"),
    "registry.verify_version": ("Hash the stored files of a version again", "a mismatch blocks the version"),
    "registry.verify_versions": ("Find versions to hash again tonight", ""),
    "workspace.deliver_webhook": ("Send a webhook", "the receiver's answer is kept with the delivery"),
    "workspace.find_forgotten_deliveries": ("Find webhooks that nobody sends", ""),
    "workspace.forget_deliveries": ("Forget old webhook deliveries", ""),
}

# Kind -> what could not be done, of the object by its name; and what its owner does then, if anything.
FAILED = {
    "approvals.execute": ("The approved release of {} could not be carried out", ""),
    "approvals.judge_gates": ("The gates of {} could not be judged", ""),
    "deployments.advance_rollout": ("The rollout of {} could not go on", ""),
    "deployments.start": ("{} could not be served", ""),
    "monitoring.make_reference": ("The training data of {} could not be described for drift", ""),
    "pipelines.check_version": ("{} could not be checked against its contract", ""),
    "pipelines.profile_version": ("{} could not be read", "correct the file and send it as another version"),
    "pipelines.run": ("A run of {} failed", "its page says at which step; start another when that is mended"),
    "registry.check_signature": ("Who signed {} could not be checked", ""),
    "registry.evaluate": ("{} could not be scored on held-out rows", "ask again once that is mended"),
    "registry.finalise_version": ("{} could not be registered", "correct the cause and register it again"),
    "registry.scan_version": ("The files of {} could not be scanned", ""),
    "registry.verify_version": (
        "The stored files of {} are not proven",
        "hash them again once they are put back, or the store answers",
    ),
}


def doing(kind: str) -> str:
    """What a worker does in a job of this kind."""
    return WORDS[kind][0] if kind in WORDS else kind.rsplit(".", 1)[-1].replace("_", " ").capitalize()


def housekeeping() -> list[str]:
    """Kinds that run by the clock whether or not there is anything to do."""
    return sorted({schedule.kind for schedule in schedules.values()})


def failed(kind: str, name: str) -> str:
    """What did not work, of what; without a name, where the reader may not see it (any more)."""
    if name and kind in FAILED:
        return FAILED[kind][0].format(name)
    return f"{doing(kind)}: failed"


def lines_of(actor: Actor, jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """Each job with its words and what it is about, in as many queries for one as for fifty."""
    jobs = list(jobs)
    subjects = subjects_of(actor, jobs)
    places = places_of([{"type": job.subject_type, "id": job.subject_id} for job in jobs])
    return [
        {
            "job": job,
            "doing": doing(job.kind),
            "next": next_of(job),
            "seconds": seconds_of(job),
            "subject": subject,
            # Without a model nobody has asked whether the reader may see the object now.
            "place": subject.address if subject else places.get(key, "") if job.model_id else "",
        }
        for job in jobs
        for key in [(job.subject_type, job.subject_id)]
        for subject in [subjects.get(key)]
    ]


def seconds_of(job: Job) -> float | None:
    """How long it has run so far, or ran in all; None before it starts."""
    if job.started_at is None:
        return None
    return ((job.finished_at or timezone.now()) - job.started_at).total_seconds()


def next_of(job: Job) -> str:
    """What happens without anybody doing anything, or what somebody has to do."""
    after = WORDS.get(job.kind, ("", ""))[1]
    match job.status:
        case Job.Status.QUEUED if job.attempt:
            return f"tried again, attempt {job.attempt + 1} of {job.max_attempts}"
        case Job.Status.QUEUED:
            return "starts when a worker is free"
        case Job.Status.RUNNING if job.cancel_requested_at:
            return "stops at its next step"
        case Job.Status.RUNNING:
            return f"then {after}" if after else ""
        case Job.Status.FAILED:
            return FAILED.get(job.kind, ("", ""))[1] or "nothing more is tried"
        case Job.Status.CANCELLED:
            return "nothing more is done"
    return after
