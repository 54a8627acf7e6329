"""Proposing a contract from a version that was read."""

from __future__ import annotations

from core.errors import Conflict
from pipelines.models import DatasetVersion
from pipelines.proposal import Proposal, propose

MOST_SIBLINGS = 100


def propose_from(version: DatasetVersion) -> Proposal:
    """A contract that holds for the version; its volume also looks at the data set's other versions."""
    if not version.profile:
        raise Conflict(
            f"{version} is {version.get_status_display().lower()}; there is nothing to infer from."
        )
    siblings = version.dataset.versions.ready().exclude(pk=version.pk).order_by("-number")
    return propose(
        version.profile,
        row_counts=list(siblings.values_list("rows", flat=True)[:MOST_SIBLINGS]),
        key_columns=version.dataset.key_columns,
    )
