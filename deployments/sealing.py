"""Taking closed journal files, writing their Parquet, and saying so once."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from core.actors import Actor
from core.errors import Conflict
from core.identifiers import new_id
from core.object_store import store
from deployments.models import Deployment, SealedJournal
from deployments.services.segments import SealedPart, note_sealed
from deployments.serving import journal
from deployments.serving.records import header_of
from deployments.serving.schema import schema_from

if TYPE_CHECKING:
    from deployments.serving.segments import Segment

log = logging.getLogger(__name__)

BATCH_BYTES = 32 << 20
SET_ASIDE = ".unsealable"


def seal_closed(actor: Actor, folder: Path, *, check: Callable[[], None] = lambda: None) -> int:
    """Seal every closed journal file; answer the rows written.

    A crash anywhere loses nothing and doubles nothing: a file is deleted only after the
    transaction that names it, and one that is named already is only deleted.
    """
    closed = journal.adopt(folder)
    sealed = set(
        SealedJournal.objects.filter(name__in=[path.name for path in closed]).values_list("name", flat=True)
    )
    rows = 0
    for batch in _batches(path for path in closed if path.name not in sealed):
        check()
        taken, count = _seal_what_can_be(actor, batch)
        rows += count
        sealed |= {path.name for path in taken}
    for path in closed:
        if path.name in sealed:
            path.unlink(missing_ok=True)
    return rows


def _seal_what_can_be(actor: Actor, batch: list[Path]) -> tuple[list[Path], int]:
    """The files that were sealed, and their rows.

    A file that cannot be sealed is set aside for people, so that it does not hold up every
    prediction after it.
    """
    try:
        return batch, _seal(actor, batch)
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        if len(batch) == 1:
            aside = batch[0].with_suffix(SET_ASIDE)
            log.exception("%s cannot be sealed and is kept as %s: %s", batch[0].name, aside.name, error)
            batch[0].rename(aside)
            return [], 0
    alone = [_seal_what_can_be(actor, [path]) for path in batch]
    return [path for taken, _ in alone for path in taken], sum(count for _, count in alone)


def _batches(paths: Iterable[Path]) -> Iterable[list[Path]]:
    batch: list[Path] = []
    size = 0
    for path in paths:
        if batch and size + path.stat().st_size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += path.stat().st_size
    if batch:
        yield batch


def _seal(actor: Actor, paths: list[Path]) -> int:
    # Every process that enqueues jobs knows this module; only the worker that seals loads Arrow.
    from deployments.serving.segments import write_segments  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as scratch:
        deployments = _deployments(paths)
        types = {pk: input_types(each) for pk, each in deployments.items()}
        segments = [
            each for each in write_segments(paths, types, Path(scratch)) if each.deployment in deployments
        ]
        parts = [_stored(segment, deployments[segment.deployment]) for segment in segments]
        try:
            note_sealed(actor=actor, journals=[path.name for path in paths], parts=parts)
        except Conflict as error:
            log.info("%s", error)
            return 0
    return sum(part.rows for part in parts)


def _deployments(paths: list[Path]) -> dict[str, Deployment]:
    ids = {header_of(payload).deployment for path in paths for payload in journal.read(path)}
    found = Deployment.objects.filter(pk__in=ids).select_related(
        "endpoint__model", "endpoint__environment", "version"
    )
    known = {str(each.pk): each for each in found}
    for missing in ids - set(known):
        log.error(
            "the journal names the deployment %s, which does not exist here; its rows are left out", missing
        )
    return known


def input_types(deployment: Deployment) -> dict[str, str]:
    """The signature's types by column."""
    return {column.name: column.type for column in schema_from(deployment.version.signature).columns}


def _stored(segment: Segment, deployment: Deployment) -> SealedPart:
    hour = segment.hour
    key = f"predictions/{deployment.endpoint_id}/{hour:%Y-%m-%d}/{hour:%H}/{new_id()}.parquet"
    with segment.path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    stored = store().put_named(key, segment.path)
    return SealedPart(
        deployment=deployment,
        slot=segment.slot,
        hour=hour,
        key=key,
        sha256=sha256,
        size=stored.size,
        rows=segment.rows,
        requests=segment.requests,
        failed=segment.failed,
        refused=segment.refused,
        served_from=segment.served_from,
        served_to=segment.served_to,
        event_from=segment.event_from,
        event_to=segment.event_to,
    )
