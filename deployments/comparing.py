"""From what to what a rollback goes, and what is lost by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deployments.models import Deployment, Endpoint
from deployments.services import why_not_target
from deployments.serving.schema import schema_from
from registry.metrics import main_metric, word_of
from registry.models import ModelVersion, VersionDataset

SHOWN = 8


@dataclass(frozen=True)
class Line:
    """One fact of the live version beside the same fact of the one to go back to."""

    name: str
    before: Any
    after: Any
    kind: str = "text"

    @property
    def differs(self) -> bool:
        return bool(self.before != self.after)


@dataclass(frozen=True)
class Candidate:
    """A deployment one may want to go back to; ``why_not`` is empty when one can."""

    deployment: Deployment
    why_not: str


def candidates_of(endpoint: Endpoint) -> list[Candidate]:
    """Every version that was live here, warm ones first, and why some cannot be gone back to."""
    rows = (
        Deployment.objects.filter(endpoint=endpoint)
        .was_live()
        .exclude(pk=endpoint.live_id)
        .select_related("version__model", "endpoint", "scorer")
        .order_by("-live_at")[: SHOWN * 4]
    )
    seen: set[Any] = set()
    found = []
    for row in rows:
        if row.version_id in seen:
            continue
        seen.add(row.version_id)
        refusal = why_not_target(endpoint, row)
        found.append(Candidate(row, str(refusal) if refusal else ""))
    found.sort(key=lambda each: (bool(each.why_not), each.deployment.status != "standby"))
    return found[:SHOWN]


def differences(live: Deployment | None, target: Deployment) -> list[Line]:
    """Facts side by side."""
    before, after = live.version if live else None, target.version
    metric = main_metric([after, *([before] if before else [])])
    lines = [
        Line("Version", f"v{before.number}" if before else "none", f"v{after.number}"),
        Line("Digest", before.digest if before else "", after.digest, "digest"),
        Line("Registered", before.created_at if before else None, after.created_at, "moment"),
        Line("Live since", live.live_at if live else None, target.live_at, "moment"),
        Line("Input columns", _columns(before), _columns(after)),
    ]
    if metric and have_same_holdout(before, after):
        values = [version.metrics.get(metric) if version else None for version in (before, after)]
        lines.append(Line(f"{word_of(metric)}, as its run logged it", *values, "number"))
    return lines


def have_same_holdout(before: ModelVersion | None, after: ModelVersion) -> bool:
    """Whether both were judged on the very same rows: else what their runs logged says nothing together."""
    if before is None:
        return True
    uses = VersionDataset.objects.filter(
        version__in=[before, after], role=VersionDataset.Role.HOLDOUT
    ).values_list("version", "dataset_version__digest")
    mine, theirs = ({digest for version, digest in uses if version == each.pk} for each in (before, after))
    return bool(mine) and mine == theirs


def lost_columns(live: Deployment | None, target: Deployment) -> list[str]:
    """Inputs that callers send for the live version and the other one does not read."""
    if live is None:
        return []
    kept = set(schema_from(target.version.signature).names)
    return [name for name in schema_from(live.version.signature).names if name not in kept]


def optional_columns(live: Deployment | None, target: Deployment) -> list[str]:
    """Inputs the other version reads when they are sent, and the live one does not."""
    if live is None:
        return []
    known = set(schema_from(live.version.signature).names)
    columns = schema_from(target.version.signature).columns
    return [column.name for column in columns if not column.required and column.name not in known]


def new_columns(live: Deployment | None, target: Deployment) -> list[str]:
    """Inputs the other version needs and the live one does not: callers may not send them."""
    if live is None:
        return []
    known = set(schema_from(live.version.signature).names)
    return [
        column.name
        for column in schema_from(target.version.signature).columns
        if column.required and column.name not in known
    ]


def _columns(version: Any) -> str:
    return str(len(schema_from(version.signature).columns)) if version else ""
