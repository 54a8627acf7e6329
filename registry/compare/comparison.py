"""Everything that differs between two versions of a model, as the reader may see it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from core.actors import Actor
from core.errors import Conflict
from core.figures import places
from registry.cards.models import CardRevision
from registry.cards.revising import SectionDiff, differences
from registry.compare.alike import Alike, scored_alike
from registry.compare.differences import Line, lines_of
from registry.compare.evaluated import rows_from, shared_evaluations
from registry.compare.signatures import ColumnChange, changes_of
from registry.compare.tested import heldout_of, why_not_comparable
from registry.evaluations.models import Evaluation
from registry.lineage import data_of
from registry.metrics import main_metric, word_of
from registry.models import ModelVersion, VersionDataset
from registry.requirements import read_requirements


@dataclass(frozen=True)
class MetricLine:
    """A metric as both runs logged it; ``difference`` only when both were tested on the same rows."""

    name: str
    words: str
    a: Any
    b: Any
    difference: float | None

    @property
    def shown(self) -> list[tuple[Any, bool]]:
        """Both values, and whether each is a number."""
        return [(value, isinstance(value, int | float)) for value in (self.a, self.b)]

    @property
    def digits(self) -> int:
        """As many decimals as either needs; counts, such as rows, have none."""
        known = [abs(float(value)) for value, is_number in self.shown if is_number]
        if all(value.is_integer() and value > 1 for value in known):
            return 0
        return max((places(value) for value in known if math.isfinite(value)), default=0)


@dataclass
class Comparison:
    """``a`` is what was, ``b`` is what may come; every difference is b against a."""

    a: ModelVersion
    b: ModelVersion
    refusal: str
    # Whether the refusal is that nobody knows what they were tested on.
    is_test_unknown: bool
    metrics: list[MetricLine]
    evaluations: list[Evaluation]
    judged: list[dict[str, Any]]
    parameters: list[Line]
    tags: list[Line]
    columns: list[ColumnChange]
    data: list[Line]
    requirements: list[Line]
    environment: list[Line]
    cards: tuple[CardRevision | None, CardRevision | None] = (None, None)
    seen: dict[Any, list[VersionDataset]] = field(default_factory=dict)
    # Without an evaluation of both together: evaluations of each on the same rows.
    alike: Alike | None = None

    @property
    def evaluation(self) -> Evaluation | None:
        return self.evaluations[0] if self.evaluations else None

    @property
    def is_same_bytes(self) -> bool:
        return self.a.digest == self.b.digest

    @property
    def card(self) -> list[SectionDiff]:
        """Sections of the card that differ."""
        before, after = (each.sections if each else {} for each in self.cards)
        return differences(before, after)

    @property
    def breaking(self) -> list[ColumnChange]:
        return [change for change in self.columns if change.breaks]


def compared(actor: Actor, a: ModelVersion, b: ModelVersion) -> Comparison:
    """Compare two versions of one model; Conflict while either has no content."""
    for version in (a, b):
        if not version.is_ready:
            raise Conflict(f"{version} {version.state_words}, so there is nothing to compare yet.")
    uses = {version.pk: _uses(version) for version in (a, b)}
    seen = {version.pk: data_of(actor, version) for version in (a, b)}
    tested = [heldout_of(each, uses[each.pk], seen[each.pk]) for each in (a, b)]
    refusal = why_not_comparable(*tested)
    evaluations = shared_evaluations(actor, a, b)
    return Comparison(
        a=a,
        b=b,
        refusal=refusal,
        is_test_unknown=not all(each.is_known for each in tested),
        metrics=_metrics(a, b, is_comparable=not refusal),
        evaluations=evaluations,
        judged=rows_from(evaluations[0], a) if evaluations else [],
        parameters=lines_of(a.parameters, b.parameters),
        tags=lines_of(*({tag.key: tag.value for tag in version.tags.all()} for version in (a, b))),
        columns=changes_of(a.signature, b.signature),
        data=lines_of(*(_data(seen[version.pk]) for version in (a, b))),
        requirements=lines_of(*(_locked(version) for version in (a, b))),
        environment=lines_of(*(_environment(version) for version in (a, b))),
        cards=(_card(a), _card(b)),
        seen=seen,
        alike=None if evaluations else scored_alike(actor, a, b),
    )


def _card(version: ModelVersion) -> CardRevision | None:
    return CardRevision.objects.filter(model=version.model_id).holding_for(version.number).first()


def _uses(version: ModelVersion) -> list[VersionDataset]:
    """All data, seen or not: that two digests differ is told, what they are is not."""
    return list(
        version.datasets.select_related("dataset_version__dataset").defer(
            "dataset_version__profile", "dataset_version__schema"
        )
    )


def _metrics(a: ModelVersion, b: ModelVersion, *, is_comparable: bool) -> list[MetricLine]:
    first = main_metric([a, b])
    names = sorted({*a.metrics, *b.metrics}, key=lambda name: (name != first, name))
    return [
        MetricLine(
            name,
            word_of(name),
            a.metrics.get(name),
            b.metrics.get(name),
            _difference(a.metrics.get(name), b.metrics.get(name)) if is_comparable else None,
        )
        for name in names
    ]


def _difference(a: Any, b: Any) -> float | None:
    both_numbers = isinstance(a, int | float) and isinstance(b, int | float)
    return b - a if both_numbers else None


def _data(seen: list[VersionDataset]) -> dict[str, str]:
    """Role and data set to version and digest: the same name with another version has changed."""
    found: dict[str, str] = {}
    for use in seen:
        data = use.dataset_version
        name = f"{use.get_role_display()}: {data.dataset.name} {data.label or f'v{data.number}'}"
        found[name] = f"sha256:{data.digest}"
    return found


def _locked(version: ModelVersion) -> dict[str, str]:
    read = read_requirements(version.requirements)
    return {
        **{name: each.version or _unpinned(name, each.says) for name, each in read.known.items()},
        **{line: line for line in read.unreadable},
    }


def _unpinned(name: str, says: str) -> str:
    """What the line asks for besides the package's name."""
    return says.removeprefix(name).strip() or "any version"


def _environment(version: ModelVersion) -> dict[str, str]:
    return {
        key: str(value)
        for key, value in {**version.environment, "code commit": version.code_commit}.items()
        if value and not isinstance(value, dict | list)
    }
