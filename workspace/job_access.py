"""Which jobs an actor may see: those of models they see, their own without one, all for who administers."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Q, QuerySet

from core.actors import Actor
from core.errors import NotFound
from core.jobs.models import Job
from registry.lookups import require_sight
from registry.models import RegisteredModel


def visible_jobs(actor: Actor) -> QuerySet[Job]:
    """A model's jobs are seen with the model; those without one belong to who asked for them and to admins."""
    if actor.holds_everywhere("administer") or actor.holds_everywhere("audit"):
        return Job.objects.all()
    seen = RegisteredModel.objects.visible_to(actor).values("pk")
    own = Q(model_id__isnull=True, requested_by_id=actor.account_id, requested_by_id__isnull=False)
    return Job.objects.filter(Q(model_id__in=seen) | own)


def find_job(request: Any, pk: str) -> Job:
    """The job of this id, or 404 alike for what is not there and what may not be seen."""
    require_sight(request.actor)
    try:
        job = visible_jobs(request.actor).filter(pk=uuid.UUID(pk)).first()
    except ValueError:
        job = None
    if job is None:
        raise NotFound("There is no such job.")
    return job
