"""Names that are taken, and names that would pass for one that is."""

from __future__ import annotations

from core.actors import Actor
from core.errors import Conflict, ProbedName
from core.hot_reads import fetch_row
from core.look_locks import lock_look
from core.looks import is_ordinary_pair, is_plain, pass_for_each_other
from registry import rights
from registry.models import RegisteredModel

ALIKE = """SELECT array_agg(m.name::text) FROM registry_registeredmodel m
 WHERE m.look_sha256 = %s AND m.deleted_at IS NULL AND m.id <> %s"""


class ConfusableName(Conflict):
    """A name made to pass for another: an attempt worth a denied event."""


def refuse_taken(actor: Actor, model: RegisteredModel) -> None:
    """Two names that look the same would let one model pass for another."""
    lock_look("model", model.look_sha256)
    found = fetch_row(ALIKE, [model.look_sha256, model.pk])
    for name in (found[0] if found else None) or ():
        if name == model.name:
            raise _taken(actor, name)
        if pass_for_each_other(name, model.name) and not _may_stand_beside(actor, name, model.name):
            raise ConfusableName(
                f"The name {model.name!r} already exists in a form that looks the same; choose a name"
                " that people can tell apart.",
                field="name",
                code="name_confusable",
            )


def _taken(actor: Actor, name: str) -> Conflict:
    is_seen = RegisteredModel.objects.visible_to(actor).filter(name=name).exists()
    kind = Conflict if is_seen else ProbedName
    return kind(f"A registered model named {name!r} already exists.", field="name", code="name_taken")


def _may_stand_beside(actor: Actor, known: str, name: str) -> bool:
    """Plain names alike are for those who work on the model already, or where numbers make the look."""
    if not (is_plain(known) and is_plain(name)):
        return False
    if is_ordinary_pair(known, name):
        return True
    model = RegisteredModel.objects.named(known).first()
    return model is None or rights.may_register(actor, model)
