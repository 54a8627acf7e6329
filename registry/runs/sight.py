"""Which runs and logged models somebody sees, one by one or several with one question."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from core.actors import Actor
from core.errors import NotFound
from registry.backends import tracking_server
from registry.models import ModelVersion
from registry.ownership import may_use, seen_through_versions
from registry.tracked import RUN_ID, LoggedModel, Owned, Run

# So many versions of others are looked through for runs.
MOST_SEEN = 500

Thing = TypeVar("Thing", Run, LoggedModel)


def find_run(actor: Actor, run_id: str) -> Run:
    """Somebody else's is not there, as one that never was."""
    missing = NotFound(f"There is no run {run_id[:64]}.")
    if not RUN_ID.fullmatch(run_id):
        raise missing
    try:
        run = tracking_server().run(run_id)
    except NotFound:
        # Asked as of what is hidden: an answer's time must not tell the two apart.
        may_use(actor, Owned("run_id", run_id, ""))
        raise missing from None
    if not may_use(actor, run.owned):
        raise missing
    return run


def usable(actor: Actor, things: Iterable[Thing]) -> list[Thing]:
    """Those for which ``may_use`` says yes, all of one kind, with one question for all."""
    found = list(things)
    own = str(actor.person_id)
    if actor.holds_everywhere("view"):
        return found
    others = {each.id: each.owned.owner for each in found if each.owned.owner != own}
    column = found[0].owned.column if found else ""
    seen = seen_through_versions(actor, column, others) if others else set()
    return [each for each in found if each.id not in others or each.id in seen]


def seen_of_owner(actor: Actor, owner: str) -> list[str] | None:
    """The runs of one owner that the actor sees through versions, newest first; None for who sees them all."""
    if actor.holds_everywhere("view") or owner == str(actor.person_id):
        return None
    made = ModelVersion.objects.visible_to(actor).ready().filter(created_by__person_id=owner)
    newest = made.exclude(run_id="").order_by("-pk").values_list("run_id", flat=True)[:MOST_SEEN]
    return list(dict.fromkeys(newest))


def versions_of(actor: Actor, runs: Iterable[Run]) -> dict[str, list[ModelVersion]]:
    """The versions made from each run that the actor may see."""
    found: dict[str, list[ModelVersion]] = {}
    known = ModelVersion.objects.visible_to(actor).filter(run_id__in=[run.id for run in runs])
    for version in known.in_lists().order_by("model__name", "number"):
        found.setdefault(version.run_id, []).append(version)
    return found
