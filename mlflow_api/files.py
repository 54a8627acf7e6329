"""The files of registered versions, where MLflow's clients look for artifacts.

``mlflow-artifacts:/versions/<id>/<path>``: what get-download-uri answers. Edge sends these
addresses here; all others below ``mlflow-artifacts`` are the tracking server's.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from audit.services import record_denied
from core.actors import Actor
from core.errors import Conflict, DomainError, Invalid, NotFound
from mlflow_api.arguments import Arguments
from mlflow_api.doors import by_method, door
from registry.api.downloads import open_file
from registry.models import ModelVersion
from registry.sources import checked_path

PREFIX = "versions/"


@door()
def download(actor: Actor, sent: Arguments) -> HttpResponseBase:
    version, path = _found(actor, sent.text("path"))
    assert sent.request is not None
    return open_file(sent.request, actor, version, path)


@door()
def listing(actor: Actor, sent: Arguments) -> dict[str, Any]:
    """What is directly in a folder of the version; a file is in none."""
    path = sent.text("path")
    if not path.startswith(PREFIX):
        raise NotFound("There are no artifacts here.", field="path")
    version, folder = _found(actor, path.removeprefix(PREFIX))
    inside = f"{folder}/" if folder else ""
    files: dict[str, dict[str, Any]] = {}
    for entry in version.manifest:
        if not entry["path"].startswith(inside):
            continue
        name, _, rest = entry["path"].removeprefix(inside).partition("/")
        files[name] = (
            {"path": name, "is_dir": True}
            if rest
            else {"path": name, "is_dir": False, "file_size": entry["size"]}
        )
    return {"files": [files[name] for name in sorted(files)]}


@door(reads_body=False)
def refuse(actor: Actor, sent: Arguments) -> HttpResponse:
    """Whoever tries is in the ledger, with the version where it is one they may see."""
    error = Conflict("The files of a registered version never change.", code="files_never_change")
    path = sent.text("path")
    try:
        version, _ = _found(actor, path)
    except DomainError:
        version = None
    record_denied(
        actor=actor,
        action="registry.files_changed",
        target=version,
        reason=error.message,
        code=error.code,
        extra={"path": path[:1000]},
    )
    raise error


def _found(actor: Actor, path: str) -> tuple[ModelVersion, str]:
    plain = checked_path(path, "path")
    head, _, rest = plain.partition("/")
    try:
        version_id = uuid.UUID(head)
    except ValueError:
        raise Invalid(
            "The path must begin with a version's id.", field="path", allowed="versions/<id>/…"
        ) from None
    versions = ModelVersion.objects.visible_to(actor).ready().select_related("model")
    version = versions.filter(pk=version_id).first()
    if version is None:
        raise NotFound("There are no artifacts here.", field="path")
    if not version.is_intact:
        raise Conflict(f"{version} is not handed out: its stored files differ from what was registered.")
    return version, rest


one_file = by_method(GET=download, PUT=refuse, DELETE=refuse)
folder = by_method(GET=listing)
