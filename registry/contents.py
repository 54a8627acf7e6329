"""Fetching a version's files and everything they and their run say, outside any transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from core.errors import Conflict, Invalid, NotFound
from core.object_store import CHUNK, store
from registry import mlmodel
from registry.backends import ArtifactStorage, owned_path
from registry.lineage import Use, copied_data, creator_of, found_data, found_parent
from registry.manifest import ManifestFile, digest_of, listed
from registry.models import ModelVersion
from registry.ownership import require_own
from registry.run_facts import RunFacts, facts_of
from registry.sources import Source, parse_source
from registry.storage.bytes_in_use import Allowance
from registry.tracked import LoggedModel, Run
from registry.uploads.reading import uploaded_files

if TYPE_CHECKING:
    from registry.tracking import TrackingServer

Progress = Callable[[float, str], None]

SAID_EVERY = 256 << 20
# So many of a run's logged models are looked through.
MOST_LOGGED_MODELS = 100


@dataclass
class Contents:
    """All that registration finds out about a version."""

    manifest: list[dict[str, Any]]
    digest: str
    description: mlmodel.Description
    facts: RunFacts
    run_id: str = ""
    logged_model_id: str = ""
    data: list[Use] = field(default_factory=list)
    parent: ModelVersion | None = None

    @property
    def size(self) -> int:
        return sum(entry["size"] for entry in self.manifest)


def collect(
    version: ModelVersion, *, tracking: TrackingServer, storage: ArtifactStorage, progress: Progress
) -> Contents:
    """Copy the files of the version's source into the store and read what they say."""
    source = parse_source(version.source)
    if source.kind == "version":
        return of_another_version(_origin_of(version, source))
    progress(5, "Asking the tracking server")
    run, logged_model = _owners(version, source, tracking)
    creator = creator_of(version)
    require_own(creator, run and run.owned, logged_model and logged_model.owned)
    if source.kind == "upload":
        uploaded = uploaded_files(version, creator, source.owner)
        manifest = stored(uploaded, "", progress, Allowance(version.model))
        uploaded.require_promised(manifest)
    else:
        home = logged_model or run
        assert home is not None
        owner = f"logged model {home.id}" if logged_model else f"run {home.id}"
        if source.kind == "run" and logged_model:
            source = replace(source, path=source.path.partition("/")[2])
        path = owned_path(source, home.artifact_uri, owner)
        manifest = stored(storage, path, progress, Allowance(version.model))
    progress(85, "Reading the model's description")
    description = described(manifest)
    _require_same_owner(description, run, logged_model)
    if source.kind == "upload":
        _require_no_owner(description, run, logged_model)
    facts = facts_of(run, logged_model)
    return Contents(
        manifest=manifest,
        digest=digest_of(manifest),
        description=description,
        facts=facts,
        data=found_data(facts.datasets, version),
        parent=found_parent(facts.parent, version),
        run_id=run.id if run else "",
        logged_model_id=logged_model.id if logged_model else description.logged_model_id,
    )


def _owners(
    version: ModelVersion, source: Source, tracking: TrackingServer
) -> tuple[Run | None, LoggedModel | None]:
    """The run and logged model behind a version; the logged model's files win where both are named."""
    if source.kind == "run":
        run = tracking.run(source.owner)
        return run, _made_by(run, source, tracking)
    logged_model = None
    if version.logged_model_id:
        logged_model = tracking.logged_model(version.logged_model_id)
        if version.run_id and logged_model.run_id and logged_model.run_id != version.run_id:
            raise Invalid(f"Logged model {logged_model.id} is not of run {version.run_id}.", field="run_id")
    run_id = version.run_id or (logged_model.run_id if logged_model else "")
    return (tracking.run(run_id) if run_id else None), logged_model


def _made_by(run: Run, source: Source, tracking: TrackingServer) -> LoggedModel | None:
    """The logged model that ``runs:/<run id>/<name>`` means, the newest of them; MLflow 3 keeps no files in the run."""
    name, found = source.path.split("/")[0], []
    for model_id in run.logged_models[:MOST_LOGGED_MODELS]:
        try:
            made = tracking.logged_model(model_id)
        except NotFound:  # deleted since
            continue
        if made.run_id == run.id and made.name and made.name == name:
            found.append(made)
    return max(found, key=lambda made: made.created_at_ms, default=None)


def stored(
    storage: ArtifactStorage, path: str, progress: Progress, allowance: Allowance
) -> list[dict[str, Any]]:
    """Copy every file into the store while hashing it."""
    objects, files, total = store(), [], 0

    def measured(content: BinaryIO) -> Any:
        nonlocal total
        while chunk := content.read(CHUNK):
            total += len(chunk)
            allowance.check(total)
            if total // SAID_EVERY > (total - len(chunk)) // SAID_EVERY:
                say()  # also where a cancelled job notices it, in the middle of a large file
            yield chunk

    def say() -> None:
        progress(min(80, 10 + len(files)), f"Hashing: {len(files)} files, {total} bytes")

    for name, content in storage.files(path):
        kept = objects.put_stream(measured(content))
        files.append(ManifestFile(name, kept.size, kept.digest))
        say()
    return listed(files)


def described(manifest: list[dict[str, Any]]) -> mlmodel.Description:
    """Read the description from our own copy, whose hash the manifest has."""
    objects = store()
    entries = {entry["path"]: entry for entry in manifest}

    def read_text(path: str) -> str | None:
        entry = entries.get(path)
        if entry is None:
            return None
        if entry["size"] > mlmodel.LARGEST_DESCRIPTION_FILE:
            raise Invalid(f"{path} is larger than {mlmodel.LARGEST_DESCRIPTION_FILE} bytes.", field="source")
        with objects.open(entry["sha256"]) as content:
            return content.read().decode("utf-8", errors="replace")

    def open_file(path: str) -> BinaryIO:
        entry = entries[path]
        return objects.open(entry["sha256"]) if entry["size"] else BytesIO()

    return mlmodel.describe(read_text, open_file, list(entries))


def _require_same_owner(
    description: mlmodel.Description, run: Run | None, logged_model: LoggedModel | None
) -> None:
    """The files themselves must not name another logged model than the one asked for."""
    named = description.logged_model_id
    if logged_model is not None and named and named != logged_model.id:
        raise Invalid(
            f"The files are those of logged model {named}, not of {logged_model.id}.", field="source"
        )
    if logged_model is None and run is not None and description.run_id and description.run_id != run.id:
        raise Invalid(f"The files are those of run {description.run_id}, not of {run.id}.", field="source")


def _require_no_owner(
    description: mlmodel.Description, run: Run | None, logged_model: LoggedModel | None
) -> None:
    """Files that were sent must not claim a run or a logged model that nobody has confirmed."""
    named = description.logged_model_id if logged_model is None else ""
    if named or (run is None and description.run_id):
        raise Invalid(
            "The files are those of a run or logged model; register them from there.", field="source"
        )


def _origin_of(version: ModelVersion, source: Source) -> ModelVersion:
    """The version a copy was asked of, if whoever asked may see it still.

    The one that bore the name then: a model of the same name may have been made since.
    """
    known = ModelVersion.objects.visible_to(creator_of(version)).ready()
    origin = known.filter(pk=version.parent_id).first()
    if origin is None:
        raise NotFound(f"There is no ready version {source.number} of {source.owner}.", field="source")
    return origin


def of_another_version(origin: ModelVersion) -> Contents:
    """A copy of a version keeps its bytes, its digest and its history."""
    if not origin.is_intact:
        raise Conflict(
            f"{origin} cannot be copied: its stored files differ from what was registered.",
            code="digest_mismatch",
        )
    return Contents(
        manifest=origin.manifest,
        digest=origin.digest,
        description=mlmodel.Description(
            flavours=origin.flavours,
            signature=origin.signature,
            requirements=origin.requirements,
            environment=origin.environment,
            format_warning=origin.format_warning,
        ),
        facts=RunFacts(
            run=origin.run,
            parameters=origin.parameters,
            metrics=origin.metrics,
            code_commit=origin.code_commit,
            holdout=origin.holdout,
        ),
        run_id=origin.run_id,
        logged_model_id=origin.logged_model_id,
        data=copied_data(origin),
        parent=origin,
    )
