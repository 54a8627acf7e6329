"""Registered models as the list shows them: narrowed, sorted, with what is live and newest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, Subquery

from core.actors import Actor
from registry.health import unhealthy
from registry.models import ModelAlias, ModelTag, ModelVersion
from registry.models.registered import RegisteredModelQuerySet
from registry.prompts.content import among_prompts

CHAMPION = "champion"
CHAMPIONS = ModelAlias.objects.filter(name=CHAMPION).select_related("version")
# The word in the address -> what core.pages.Page needs; each has an index.
SORTS: dict[str, dict[str, Any]] = {
    "newest": {"key": "pk"},
    "name": {"key": "name", "ascending": True},
    "changed": {"key": "last_updated_at", "tie": "pk"},
}


def narrowed(
    models: RegisteredModelQuerySet, actor: Actor, asked: Mapping[str, Any]
) -> RegisteredModelQuerySet:
    """By part of a name or of the owner's, kind, tier, tag, health, and what is live or one's own."""
    if text := asked.get("q"):
        models = models.searched(text)
    if kind := asked.get("kind"):
        models = models.filter(among_prompts() if kind == "prompts" else ~among_prompts())
    if tier := asked.get("tier"):
        models = models.filter(tier=tier)
    if owner := asked.get("owner"):
        models = models.filter(owner__name__icontains=owner)
    if tag := asked.get("tag"):
        models = models.filter(_tagged(tag))
    if asked.get("health") == "unhealthy":
        models = models.filter(unhealthy(actor))
    if show := asked.get("show"):
        models = models.filter(_shown(show, actor))
    return models


def with_newest(models: RegisteredModelQuerySet) -> RegisteredModelQuerySet:
    """With the newest version's number and status, the champion as ``champions``, and whether it is a prompt."""
    newest = ModelVersion.objects.existing().filter(model=OuterRef("pk")).order_by("-number")
    annotated = models.annotate(
        newest_number=Subquery(newest.values("number")[:1]),
        newest_status=Subquery(newest.values("status")[:1]),
        is_prompt=among_prompts(),
    )
    return annotated.prefetch_related(Prefetch("aliases", CHAMPIONS, to_attr="champions"))


def _shown(show: str, actor: Actor) -> Q:
    return {
        "live": Q(Exists(ModelAlias.objects.filter(model=OuterRef("pk"), name=CHAMPION))),
        "mine": Q(owner=actor.person_id) | Q(on_call=actor.person_id),
        "unowned": Q(owner__isnull=True),
    }[show]


def _tagged(text: str) -> Exists:
    """``key`` with any value, or ``key:value``; both may hold colons themselves."""
    wanted = Q(key=text)
    for key, colon, value in (text.partition(":"), text.rpartition(":")):
        if colon:
            wanted |= Q(key=key, value=value)
    return Exists(ModelTag.objects.filter(wanted, model=OuterRef("pk")))
