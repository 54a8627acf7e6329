"""Saying under which digests others know a data set version."""

from __future__ import annotations

import re

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed
from core.text import checked_text
from pipelines import rights
from pipelines.models import Dataset, DatasetVersion, VersionReference

DIGEST = re.compile(r"^[A-Za-z0-9_.:+/=-]{4,64}\Z")


@command
def add_reference(
    *, actor: Actor, version: DatasetVersion, digest: str, source: str = ""
) -> VersionReference:
    """From now on a run that logs the data set's name with this digest was made from this version."""
    if not rights.may_register(actor, version.dataset):
        raise NotAllowed(f"You may not name {version}; it needs the right to register.")
    if not isinstance(digest, str) or not DIGEST.match(digest):
        allowed = "4 to 64 letters, digits and _ . : + / = -"
        raise Invalid(f"digest must be {allowed}.", field="digest", allowed=allowed)
    source = checked_text(source, "source", 1000)
    dataset = Dataset.objects.select_for_update().get(pk=version.dataset_id)
    known = VersionReference.objects.filter(dataset=dataset, digest=digest).select_related("version").first()
    if known is not None:
        if known.version_id != version.pk:
            raise Conflict(
                f"{digest} already means version {known.version.number} of {dataset}.", field="digest"
            )
        return known
    row = VersionReference.objects.create(
        dataset=dataset, version=version, digest=digest, source=source, created_by_id=actor.account_id
    )
    row.refresh_from_db()
    after = {"digest": digest, "source": source}
    record(actor=actor, action="pipelines.reference_added", target=version, after=after)
    return row
