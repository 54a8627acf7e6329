"""``model-versions/…``"""

from __future__ import annotations

from typing import Any

from core.actors import Actor
from core.errors import Conflict, NotAllowed
from mlflow_api import ownership, rendering, searching
from mlflow_api.arguments import Arguments
from mlflow_api.doors import door
from mlflow_api.finding import find_model, find_version
from mlflow_api.surfaces import VERSIONS
from registry import protected, services
from registry.services.aliases import PROTECTED_STAGES, STAGE_OF_ALIAS, checked_stage
from registry.services.prompts import PROMPT_SOURCES, create_prompt_version

MOST_VERSIONS, DEFAULT_VERSIONS = 200_000, 10_000
# A page is never larger, whatever was asked for; the next one has a token.
LARGEST_PAGE = 10_000


@door()
def create(actor: Actor, sent: Arguments) -> str:
    """The version gets its number at once and is READY when a worker has copied and hashed its files."""
    model = find_model(actor, sent.text("name"))
    source, run_id, model_id = sent.text("source"), sent.text("run_id", ""), sent.text("model_id", "")
    if source in PROMPT_SOURCES:
        said = sent.text("description", "")
        version = create_prompt_version(
            actor=actor, model=model, source=source, tags=sent.tags(), description=said
        )
        return rendering.own_version_json(version)
    ownership.require(actor, source, run_id, model_id)
    version = services.create_version(
        actor=actor,
        model=model,
        source=source,
        run_id=run_id,
        logged_model_id=model_id,
        run_link=sent.text("run_link", ""),
        description=sent.text("description", ""),
        tags=sent.tags(),
    )
    return rendering.own_version_json(version)


@door()
def get(actor: Actor, sent: Arguments) -> str:
    return rendering.version_json(actor, sent.text("name"), sent.version())


@door()
def search(actor: Actor, sent: Arguments) -> str:
    size = sent.number("max_results", default=DEFAULT_VERSIONS, largest=MOST_VERSIONS)
    page = searching.search(
        VERSIONS,
        actor,
        text=sent.text("filter", ""),
        order_by=sent.texts("order_by"),
        token=sent.text("page_token", ""),
        size=min(size, LARGEST_PAGE),
    )
    return rendering.page("model_versions", page.entries, page.next_token)


@door()
def update(actor: Actor, sent: Arguments) -> str:
    version = find_version(actor, sent.text("name"), sent.version())
    if sent.has("description"):
        services.update_version(actor=actor, version=version, description=sent.text("description", ""))
    return rendering.own_version_json(version)


@door()
def delete(actor: Actor, sent: Arguments) -> dict[str, Any]:
    version = find_version(actor, sent.text("name"), sent.version())
    services.delete_version(actor=actor, version=version, reason="Deleted by an MLflow client.")
    return {}


@door()
def transition_stage(actor: Actor, sent: Arguments) -> str:
    """A stage that means a protected alias is asked for like the alias itself."""
    version = find_version(actor, sent.text("name"), sent.version())
    stage = checked_stage(sent.text("stage"))
    if stage in PROTECTED_STAGES and version.stage != stage:
        alias = next(name for name, meant in STAGE_OF_ALIAS.items() if meant == stage)
        try:
            protected.ask_to_move(actor, version.model, alias, version)
        except NotAllowed as error:
            error.message = f"The stage {stage} means the alias {alias}. {error.message}"
            raise
    else:
        archive = sent.flag("archive_existing_versions")
        services.transition_stage(actor=actor, version=version, stage=stage, archive_existing=archive)
    return rendering.own_version_json(version)


@door()
def get_download_uri(actor: Actor, sent: Arguments) -> dict[str, Any]:
    """Our own immutable copy, whatever becomes of the run's artifacts."""
    version = find_version(actor, sent.text("name"), sent.version())
    if not version.is_ready:
        raise Conflict(
            f"{version} has no files yet: {version.get_status_display().lower()}. {version.status_message}".strip()
        )
    if not version.is_intact:
        raise Conflict(f"{version} is not handed out: its stored files differ from what was registered.")
    return {"artifact_uri": f"mlflow-artifacts:/versions/{version.pk}"}


@door()
def set_tag(actor: Actor, sent: Arguments) -> dict[str, Any]:
    version = find_version(actor, sent.text("name"), sent.version())
    services.set_tag(actor=actor, target=version, key=sent.text("key"), value=sent.text("value", ""))
    return {}


@door()
def delete_tag(actor: Actor, sent: Arguments) -> dict[str, Any]:
    version = find_version(actor, sent.text("name"), sent.version())
    services.delete_tag(actor=actor, target=version, key=sent.text("key"))
    return {}
