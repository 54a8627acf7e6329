"""Handing out one file of a version as it was registered."""

from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase

from core.actors import Actor
from core.errors import Conflict, NotFound
from core.object_store import store
from registry import services
from registry.models import ModelVersion

# Below this, an address of its own costs the client more than it saves us.
LARGE = 8 << 20
# Whatever the file is, the browser saves it and runs nothing of it under our address.
HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-transform",
}


def open_file(actor: Actor, version: ModelVersion, path: str) -> HttpResponseBase:
    """The file at ``path`` of the manifest, as registered; the download is recorded.

    A large file may be answered with the address of the object itself: signed for this one object
    and a minute, so that whoever learns it gains nothing that this person could not send on.
    """
    entry = next((each for each in version.manifest if each["path"] == path), None)
    if entry is None:
        raise NotFound(f"{version} has no file {path[:256]!r}.")
    if not version.is_intact:
        raise Conflict(
            f"{version} is not handed out: its stored files differ from what was registered.",
            code="digest_mismatch",
        )
    name, etag = path.rsplit("/", 1)[-1], f'"{entry["sha256"]}"'
    if entry["size"] >= LARGE and (address := store().download_url(entry["sha256"], name)):
        services.note_download(actor=actor, version=version, path=path)
        return HttpResponse(status=307, headers={"Location": address, **HEADERS, "ETag": etag})
    content = store().open(entry["sha256"])
    services.note_download(actor=actor, version=version, path=path)
    return FileResponse(
        content,
        as_attachment=True,
        filename=name,
        content_type="application/octet-stream",
        headers={**HEADERS, "ETag": etag},
    )
