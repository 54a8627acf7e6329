"""Which jobs an actor may see: their own, those of models they see, all for who administers."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from core.actors import Actor
from core.jobs.models import Job
from registry.models import RegisteredModel


def visible_jobs(actor: Actor) -> QuerySet[Job]:
    """Jobs without a model belong to who asked for them and to admins."""
    if actor.holds_everywhere("administer") or actor.holds_everywhere("audit"):
        return Job.objects.all()
    names = RegisteredModel.objects.visible_to(actor).values("name")
    return Job.objects.filter(
        Q(model_name__in=names) | Q(requested_by_id=actor.account_id, requested_by_id__isnull=False)
    )
