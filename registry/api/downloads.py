"""Handing out one file of a version as it was registered."""

from django.http import FileResponse

from core.actors import Actor
from core.errors import NotFound
from core.object_store import store
from registry import services
from registry.models import ModelVersion

# Whatever the file is, the browser saves it and runs nothing of it under our address.
HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-transform",
}


def open_file(actor: Actor, version: ModelVersion, path: str) -> FileResponse:
    """The file at ``path`` of the manifest, streamed; the download is recorded."""
    entry = next((each for each in version.manifest if each["path"] == path), None)
    if entry is None:
        raise NotFound(f"{version} has no file {path[:256]!r}.")
    content = store().open(entry["sha256"])
    services.note_download(actor=actor, version=version, path=path)
    return FileResponse(
        content,
        as_attachment=True,
        filename=path.rsplit("/", 1)[-1],
        content_type="application/octet-stream",
        headers={**HEADERS, "ETag": f'"{entry["sha256"]}"'},
    )
