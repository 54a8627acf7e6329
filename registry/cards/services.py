"""Changes to model cards."""

from __future__ import annotations

from collections.abc import Mapping

from audit.services import command, record
from core.actors import Actor
from core.canonical import canonical_json, sha256_hex
from core.errors import Invalid, NotAllowed, PreconditionFailed
from core.text import checked_text
from registry.cards.models import CardRevision
from registry.cards.sections import BY_KEY, KEYS, LONGEST_ANSWER
from registry.locks import locked_model
from registry.models import RegisteredModel
from registry.rights import may_administer, may_register


@command
def revise_card(
    *,
    actor: Actor,
    model: RegisteredModel,
    sections: Mapping[str, str],
    expected_number: int,
    from_version: int | None = None,
    note: str = "",
) -> CardRevision:
    """Keep a new revision of the card; sections left out become empty. The same again changes nothing.

    ``expected_number`` is the revision that was read, 0 when there was none.
    """
    if not (may_register(actor, model) or may_administer(actor, model)):
        raise NotAllowed(f"You may not write the card of {model}; it needs the right to register.")
    said = _checked(sections)
    note = checked_text(note, "note", 500)
    row = locked_model(model)
    newest = CardRevision.objects.filter(model=row).order_by("-number").first()
    known = newest.number if newest else 0
    if known != expected_number:
        raise PreconditionFailed(
            f"The card of {row} has revision {known} now; you saw revision {expected_number}.",
            extra={"current_revision": known},
        )
    start = _checked_start(from_version, newest, row)
    before = newest.sections if newest else {}
    if newest is not None and (said, start) == (before, newest.from_version):
        return newest
    revision = CardRevision.objects.create(
        model=row,
        number=known + 1,
        from_version=start,
        sections=said,
        note=note,
        created_by_id=actor.account_id,
    )
    changed = sorted(key for key in KEYS if said.get(key) != before.get(key))
    record(
        actor=actor,
        action="registry.card_revised",
        target=row,
        before={"revision": known},
        after={
            "revision": revision.number,
            "from_version": start,
            "changed": changed,
            "sha256": sha256_hex(canonical_json(said)),
        },
        reason=note,
    )
    return revision


def _checked(sections: Mapping[str, str]) -> dict[str, str]:
    """Known sections alone, without empty ones; Invalid names the section at fault."""
    unknown = sorted(set(sections) - set(KEYS))
    if unknown:
        allowed = ", ".join(KEYS)
        raise Invalid(
            f"sections may be: {allowed}; not {unknown[0][:100]!r}.", field="sections", allowed=allowed
        )
    said = {
        key: checked_text(
            str(sections[key]).replace("\r\n", "\n"), f"sections.{key}", LONGEST_ANSWER, multiline=True
        ).strip()
        for key in BY_KEY
        if key in sections
    }
    said = {key: text for key, text in said.items() if text}
    if not said:
        raise Invalid(
            "A card says something; fill in at least one section.", field="sections", allowed="text"
        )
    return said


def _checked_start(asked: int | None, newest: CardRevision | None, model: RegisteredModel) -> int:
    """The first version it holds for: as the card before it, unless somebody says otherwise."""
    start = asked if asked is not None else newest.from_version if newest else 1
    last = max(1, model.next_number - 1)
    if not 1 <= start <= last:
        raise Invalid(
            f"from_version must be the number of a version, 1 to {last}.",
            field="from_version",
            allowed=f"1 to {last}",
        )
    return start
