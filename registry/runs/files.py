"""The files of a run: what it logged itself, and what its logged models are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from core.actors import Actor
from core.errors import Invalid, NotFound
from registry.backends import artifact_storage, storage_path, tracking_server
from registry.ownership import may_use
from registry.sources import LOGGED_MODEL_ID, checked_path
from registry.tracked import Entry, LoggedModel, Run

# So many of a folder are shown, in the order of their names.
MOST_SHOWN = 200
DESCRIPTION = "MLmodel"


@dataclass(frozen=True)
class ShownEntry:
    """A file or folder; without an address where its name can stand in none."""

    name: str
    size: int | None
    path: str

    @property
    def is_folder(self) -> bool:
        return self.size is None

    @property
    def has_address(self) -> bool:
        try:
            return checked_path(self.path, "path") == self.path
        except Invalid:
            return False


@dataclass(frozen=True)
class Folder:
    """What is directly in one folder of the run, or of one of its logged models."""

    path: str = ""
    model: LoggedModel | None = None
    entries: Sequence[ShownEntry] = field(default_factory=list)
    has_more: bool = False
    # Why nothing can be listed.
    elsewhere: str = ""

    @property
    def is_model(self) -> bool:
        return any(each.name == DESCRIPTION and not each.is_folder for each in self.entries)

    @property
    def steps(self) -> list[tuple[str, str]]:
        """Each folder on the way to this one: name and path."""
        parts = self.path.split("/") if self.path else []
        return [(part, "/".join(parts[: place + 1])) for place, part in enumerate(parts)]


def folder_of(actor: Actor, run: Run, path: str = "", model_id: str = "") -> Folder:
    """What the folder holds; one that is not there is an empty one at the top, and 404 below."""
    path, model = checked_path(path, "path"), _model_of(actor, run, model_id)
    home = _home(run, model)
    if home is None:
        return Folder(path, model, elsewhere=(model or run).artifact_uri)
    try:
        found = artifact_storage().listed("/".join(filter(None, [home, path])), MOST_SHOWN + 1)
    except NotFound as error:
        if path:
            raise NotFound(f"The run has no folder {path[:256]}.", field="path") from error
        found = []
    entries = [_shown(each, path) for each in found[:MOST_SHOWN]]
    return Folder(path, model, entries, has_more=len(found) > MOST_SHOWN)


def opened(actor: Actor, run: Run, path: str, model_id: str = "") -> BinaryIO:
    """One file, to be read once from front to back."""
    missing = NotFound(f"The run has no file {path[:256]!r}.", field="path")
    path, model = checked_path(path, "path"), _model_of(actor, run, model_id)
    home = _home(run, model)
    if home is None or not path:
        raise missing
    try:
        return artifact_storage().opened(f"{home}/{path}")
    except NotFound as error:
        raise missing from error


def _model_of(actor: Actor, run: Run, model_id: str) -> LoggedModel | None:
    """One of the run's logged models that the actor may use; another one is not there."""
    if not model_id:
        return None
    missing = NotFound("The run logged no such model.", field="model")
    if not LOGGED_MODEL_ID.match(model_id):
        raise missing
    try:
        model = tracking_server().logged_model(model_id)
    except NotFound as error:
        raise missing from error
    if model.run_id != run.id or not may_use(actor, model.owned):
        raise missing
    return model


def _home(run: Run, model: LoggedModel | None) -> str | None:
    """Where its files are in the installation's storage; None where they are kept elsewhere."""
    try:
        return storage_path((model or run).artifact_uri)
    except Invalid:
        return None


def _shown(entry: Entry, folder: str) -> ShownEntry:
    return ShownEntry(entry.name, entry.size, f"{folder}/{entry.name}" if folder else entry.name)
