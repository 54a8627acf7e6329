"""What became of the files of a run after a version was made from them: clients may go on writing."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from core.errors import Invalid, NotFound
from core.object_store import CHUNK
from registry.backends import artifact_storage, owned_path, storage_path, tracking_server
from registry.manifest import MOST_FILES
from registry.models import ModelVersion
from registry.sources import parse_source
from registry.tracked import FileState, Run

# What is written again with its old size is hashed here, up to so many bytes of one version.
MOST_HASHED = 64 << 20
# Clocks of the storage and of the database may differ by this much.
SLACK = timedelta(minutes=2)


@dataclass
class Since:
    """Files by path: those that came, went, and say something else; ``rewritten`` are too large to compare here."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    rewritten: list[str] = field(default_factory=list)

    @property
    def groups(self) -> list[tuple[str, list[str]]]:
        """What happened, in words, and to which files."""
        found = (
            ("Changed", self.changed),
            ("Written again, too large to compare here", self.rewritten),
            ("New", self.added),
            ("Gone", self.removed),
        )
        return [(word, names) for word, names in found if names]


def since(run: Run, version: ModelVersion) -> Since | None:
    """None where the two cannot be compared: not copied yet, or the files are gone or kept elsewhere."""
    if not version.is_ready:
        return None
    found_at = _found(run, version)
    if found_at is None:
        return None
    home, states = found_at
    kept = {each["path"]: each for each in version.manifest}
    found = Since(added=sorted(states.keys() - kept.keys()), removed=sorted(kept.keys() - states.keys()))
    budget = MOST_HASHED
    for path in sorted(states.keys() & kept.keys()):
        state = states[path]
        if state.size != kept[path]["size"]:
            found.changed.append(path)
        elif state.changed_at > version.created_at - SLACK:
            budget -= state.size
            if budget < 0:
                found.rewritten.append(path)
            elif _hashed(f"{home}/{state.path}") != kept[path]["sha256"]:
                found.changed.append(path)
    return found


def _found(run: Run, version: ModelVersion) -> tuple[str, dict[str, FileState]] | None:
    """Where the source of the version is in the artifact storage, and what is there now by name."""
    try:
        for home in _homes(run, version):
            with suppress(NotFound):
                states = islice(artifact_storage().states(home), MOST_FILES)
                return home, {_named(each.path): each for each in states}
    except (Invalid, NotFound):
        return None
    return None


def _homes(run: Run, version: ModelVersion) -> Iterator[str]:
    """A run's folder, or its logged model of that name, which keeps its files in a place of its own."""
    source = parse_source(version.source)
    if source.kind in {"run", "artifacts"}:
        yield owned_path(source, run.artifact_uri, f"run {run.id}")
    if version.logged_model_id and source.kind in {"run", "logged_model"}:
        below = source.path.partition("/")[2] if source.kind == "run" else source.path
        uri = tracking_server().logged_model(version.logged_model_id).artifact_uri
        yield "/".join(filter(None, [storage_path(uri), below]))


def _named(path: str) -> str:
    return unicodedata.normalize("NFC", path)


def _hashed(path: str) -> str:
    """Empty where it has gone in the meantime."""
    try:
        with artifact_storage().opened(path) as content:
            digest = hashlib.sha256()
            for part in iter(lambda: content.read(CHUNK), b""):
                digest.update(part)
            return digest.hexdigest()
    except NotFound:
        return ""
