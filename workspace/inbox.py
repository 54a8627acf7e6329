"""What waits for a person, why it is theirs, and what they did last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import CharField, Q, QuerySet
from django.db.models.functions import Cast, Now

from approvals.evidence import why_unevaluated
from approvals.failing import failing_gates, in_words
from approvals.models import GATES_FAIL, Decision, PromotionRequest
from approvals.waiting import blocked_requests, waiting_for_signature
from core.actors import Actor
from core.digests import with_short_digests
from core.jobs.models import Job
from monitoring.incidents.integrity import INTEGRITY
from monitoring.incidents.models import Incident
from pipelines.models import FreshnessAlarm
from registry.evaluations.models import Evaluation
from registry.services import VERIFY
from workspace.job_access import visible_jobs
from workspace.job_subjects import subjects_of
from workspace.job_words import failed

FAILED_FOR = timedelta(days=7)
MOST = 50
FEW = 5


@dataclass(frozen=True)
class Entry:
    """One thing that waits: what, why it is yours, where, by when."""

    title: str
    why: str
    address: str
    status: str
    word: str
    since: datetime
    due: datetime | None = None


def waiting_for(actor: Actor) -> list[Entry]:
    """Everything that waits: open incidents, then what is due first."""
    found = _signatures(actor) + _blocked(actor) + _late_data(actor) + _failed_jobs(actor)
    return _incidents(actor) + sorted(found, key=lambda entry: (entry.due is None, entry.due or entry.since))


def _signatures(actor: Actor) -> list[Entry]:
    return [
        Entry(
            f"Promote {each.version} to {each.environment.name}",
            f"You may {'reject' if each.gates_fail else 'sign'} the request of {each.requested_by}",
            each.address,
            each.look,
            GATES_FAIL if each.gates_fail else "Needs your review",
            each.created_at,
            each.expires_at,
        )
        for each in waiting_for_signature(actor)
    ]


def _blocked(actor: Actor) -> list[Entry]:
    rows = blocked_requests(actor).select_related("version__model", "environment", "evaluation")
    shown = rows.defer("evidence", "version__manifest", "evaluation__slices", "evaluation__comparison")
    blocked = list(shown.order_by("-created_at")[:MOST])
    failing = failing_gates(blocked)
    return [
        Entry(
            f"Promote {each.version} to {each.environment.name}",
            _why_blocked(each, failing[each.pk]),
            each.address,
            "failed",
            GATES_FAIL,
            each.gates_judged_at or each.created_at,
            each.expires_at,
        )
        for each in blocked
    ]


def _why_blocked(promotion: PromotionRequest, failing: list[str]) -> str:
    evaluation = promotion.evaluation
    if evaluation is not None and evaluation.status == Evaluation.Status.FAILED:
        said = why_unevaluated(evaluation)
        return f"You asked for it; {said}"
    said = in_words(failing)
    return f"You asked for it; {said[:1].lower()}{said[1:]}"


def incidents_of(actor: Actor) -> QuerySet[Incident]:
    """Open incidents the actor is expected to see to."""
    rows = Incident.objects.visible_to(actor).open()
    if actor.holds_everywhere("roll_back") or actor.holds_everywhere("deploy"):
        return rows
    return rows.filter(
        Q(model__owner=actor.person_id) | Q(model__on_call=actor.person_id) | Q(handler=actor.account_id)
    )


def _incidents(actor: Actor) -> list[Entry]:
    rows = incidents_of(actor).in_lists().order_by("-opened_at")[:MOST]
    return [
        Entry(each.title, _why(actor, each), f"/incidents/{each.pk}/", each.status, "", each.opened_at)
        for each in rows
    ]


def _why(actor: Actor, incident: Incident) -> str:
    if incident.handler_id:
        is_mine = incident.handler_id == actor.account_id
        return "You have it" if is_mine else f"{incident.handler} has it"
    if incident.model.on_call_id == actor.person_id:
        return "You are on call; nobody has it yet"
    if incident.model.owner_id == actor.person_id:
        return "You own the model; nobody has it yet"
    return "You may roll back; nobody has it yet"


def alarms_of(actor: Actor) -> QuerySet[FreshnessAlarm]:
    """Open alarms of data sets the actor owns, or that nobody owns and the actor administers."""
    rows = FreshnessAlarm.objects.visible_to(actor).open()
    mine = Q(dataset__owner=actor.person_id) if actor.person_id else Q(pk__in=[])
    if actor.holds_everywhere("administer"):
        mine |= Q(dataset__owner__isnull=True)
    return rows.filter(mine)


def _late_data(actor: Actor) -> list[Entry]:
    rows = alarms_of(actor).select_related("dataset").order_by("-raised_at")[:MOST]
    return [
        Entry(
            each.finding,
            "You own the data set" if each.dataset.owner_id else "Nobody owns the data set",
            f"/data/{each.dataset.name}/",
            "late",
            "",
            each.raised_at,
        )
        for each in rows
    ]


def data_late(actor: Actor) -> int:
    return alarms_of(actor).count()


def _jobs(actor: Actor) -> QuerySet[Job]:
    """Failed work; files that were found changed are told by their incident alone."""
    mine = visible_jobs(actor).filter(
        requested_by_id=actor.account_id, status=Job.Status.FAILED, finished_at__gt=Now() - FAILED_FOR
    )
    changed = incidents_of(actor).filter(cause=INTEGRITY).annotate(of=Cast("version_id", CharField()))
    return mine.exclude(kind=VERIFY, subject_id__in=changed.order_by().values("of"))


def _failed_jobs(actor: Actor) -> list[Entry]:
    rows = list(_jobs(actor).defer("payload", "result", "log_tail").order_by("-finished_at")[:MOST])
    subjects = subjects_of(actor, rows)
    return [
        Entry(
            failed(each.kind, subject.name if subject else ""),
            with_short_digests(each.failure)[:200] or "You asked for it",
            f"/jobs/{each.pk}/",
            "failed",
            "",
            each.finished_at or each.created_at,
        )
        for each in rows
        for subject in [subjects.get((each.subject_type, each.subject_id))]
    ]


def requests_of(actor: Actor) -> list[PromotionRequest]:
    """What the actor asked others for, is not over, and does not wait for the actor."""
    rows = PromotionRequest.objects.visible_to(actor).under_way().filter(requested_by=actor.account_id)
    others = rows.exclude(pk__in=blocked_requests(actor).order_by().values("pk"))
    return list(others.in_lists().defer("evidence", "version__manifest").order_by("-created_at")[:MOST])


def decisions_of(actor: Actor) -> list[Decision]:
    """What the actor signed last."""
    return _newest(Decision.objects.filter(person=actor.person_id))


def answers_to(actor: Actor) -> list[Decision]:
    """What others decided last on what the actor asked for, as far as the actor may still see it."""
    asked = PromotionRequest.objects.visible_to(actor).filter(requested_by=actor.account_id)
    return _newest(Decision.objects.filter(promotion__in=asked))


def _newest(rows: QuerySet[Decision]) -> list[Decision]:
    related = rows.select_related("promotion__version__model", "promotion__environment", "person")
    return list(
        related.defer("promotion__evidence", "promotion__version__manifest").order_by("-signed_at")[:FEW]
    )


def incidents_waiting(actor: Actor) -> int:
    return incidents_of(actor).count()


def incidents_open(actor: Actor) -> int:
    return Incident.objects.visible_to(actor).open().count()


def jobs_failed(actor: Actor) -> int:
    return _jobs(actor).count()
