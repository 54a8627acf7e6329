"""The files and facts of one version on an MLflow server, read outside any transaction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from core.errors import Invalid, NotFound
from core.text import checked_json
from registry.backends import SCHEME, storage_path
from registry.contents import Contents, Progress, described, of_another_version, stored
from registry.imports.artifacts import ProxiedArtifacts
from registry.imports.models import ImportedModel
from registry.imports.server import FoundVersion, MlflowServer
from registry.lineage import found_data
from registry.manifest import digest_of
from registry.mlmodel import MLMODEL
from registry.models import ModelVersion
from registry.run_facts import facts_of
from registry.sources import Source, parse_source
from registry.storage.bytes_in_use import Allowance
from registry.tracked import LoggedModel, Run

MOST_TAGS, LONGEST_TAG = 200, 1000
# MLflow's own record of every file list it logged: long, and said by the manifest.
UNKEPT_TAG = "mlflow.log-model.history"


@dataclass
class Origin:
    """Where a version's files are on the server, and what made them."""

    path: str
    run: Run | None = None
    logged_model: LoggedModel | None = None
    notes: list[str] = field(default_factory=list)


def find(server: MlflowServer, found: FoundVersion) -> Origin:
    """Ask the server about the run, the logged model and the folder of a version."""
    source = _source_of(found)
    model_id = found.logged_model_id or (source.owner if source.kind == "logged_model" else "")
    logged_model = _logged_model(server, model_id, source)
    run_id = found.run_id or (source.owner if source.kind == "run" else "")
    run_id = run_id or (logged_model.run_id if logged_model else "")
    origin = Origin("", logged_model=logged_model)
    if run_id:
        origin.run = _run(server, run_id, origin.notes)
    origin.path = _folder(source, origin)
    return origin


def rehearse(server: MlflowServer, origin: Origin) -> tuple[int, int]:
    """Files and bytes that would come, from the server's list alone."""
    listed = ProxiedArtifacts(server).listed(origin.path)
    if MLMODEL not in {each.path for each in listed}:
        raise Invalid("The source holds no MLmodel file, so it is not an MLflow model.")
    return len(listed), sum(each.size for each in listed)


def fetch(
    server: MlflowServer, found: FoundVersion, origin: Origin, home: ImportedModel, progress: Progress
) -> Contents:
    """Copy the files into the store, hashing them, and read what they and their run say."""
    manifest = stored(ProxiedArtifacts(server), origin.path, progress, Allowance(home.model))
    facts = facts_of(origin.run, origin.logged_model)
    if facts.parent:
        origin.notes.append(f"Its run names {facts.parent[:100]!r} as parent, which was not followed.")
    by_digest = [each for each in facts.datasets if not each.is_claim]
    if len(by_digest) < len(facts.datasets):
        origin.notes.append("Its run names data set versions of another installation.")
    facts.run = _with_origin(facts.run, server, found, origin)
    return Contents(
        manifest=manifest,
        digest=digest_of(manifest),
        description=described(manifest),
        facts=facts,
        data=found_data(by_digest, ModelVersion(model=home.model)),
    )


def copy_of(server: MlflowServer, found: FoundVersion, origin: ModelVersion) -> Contents:
    """A version that is a copy of one that came before it."""
    contents = of_another_version(origin)
    about = {**contents.facts.run, "server": server.url, "registered_at_ms": found.registered_at_ms}
    return replace(contents, facts=replace(contents.facts, run=about), run_id="", logged_model_id="")


def is_copy(found: FoundVersion) -> bool:
    """Whether the source is another registered version."""
    try:
        return parse_source(found.source).kind == "version"
    except Invalid:
        return False


def link_to_run(server: MlflowServer, origin: Origin) -> str:
    """MLflow's own page of the run, on the server it is on."""
    if origin.run is None:
        return ""
    return f"{server.url}/#/experiments/{quote(origin.run.experiment_id)}/runs/{quote(origin.run.id)}"[:2000]


def _source_of(found: FoundVersion) -> Source:
    try:
        return parse_source(found.source)
    except Invalid as error:
        raise _outside(found.source) from error


def _logged_model(server: MlflowServer, model_id: str, source: Source) -> LoggedModel | None:
    """Needed where the source is one; else only another place for facts."""
    if not model_id:
        return None
    try:
        return server.logged_model(model_id)
    except NotFound:
        if source.kind == "logged_model":
            raise
        return None


def _run(server: MlflowServer, run_id: str, notes: list[str]) -> Run | None:
    try:
        run = server.run(run_id)
    except NotFound:
        notes.append(f"Its run {run_id} is gone from the server, and with it parameters and metrics.")
        return None
    if run.is_deleted:
        notes.append(f"Its run {run_id} is deleted on the server; what it still says of it came.")
    return run


def _folder(source: Source, origin: Origin) -> str:
    """The folder in the server's artifact storage; a logged model and a run say where theirs is."""
    if source.kind == "artifacts":
        return source.path
    owner = origin.logged_model if source.kind == "logged_model" else origin.run
    if owner is None:
        raise NotFound(f"Its run {source.owner} is gone from the server, and nothing else says where it is.")
    if not owner.artifact_uri.startswith(f"{SCHEME}/") or owner.artifact_uri.startswith(f"{SCHEME}//"):
        raise _outside(owner.artifact_uri)
    return f"{storage_path(owner.artifact_uri)}/{source.path}".rstrip("/")


def _outside(address: str) -> Invalid:
    return Invalid(
        f"Its files are at {address[:200]!r}, outside the storage that the server itself serves"
        " (mlflow-artifacts:/); log them to a run there, or register them here by hand.",
        field="source",
    )


def _with_origin(
    facts: dict[str, Any], server: MlflowServer, found: FoundVersion, origin: Origin
) -> dict[str, Any]:
    """The run's facts with its tags, the server it is on and when the version was registered there."""
    tags = origin.run.tags if origin.run else {}
    kept = sorted(key for key in tags if key != UNKEPT_TAG)[:MOST_TAGS]
    about: dict[str, Any] = {
        **facts,
        "tags": {key[:250]: tags[key][:LONGEST_TAG] for key in kept},
        "server": server.url,
        "registered_at_ms": found.registered_at_ms,
        "logged_model": origin.logged_model.id if origin.logged_model else "",
    }
    checked_json(about, "run")
    return about
