"""Handing out one file of a version as it was registered, the whole or a part (RFC 9110, section 14)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from core.actors import Actor
from core.errors import Conflict, NotFound
from core.object_store import store
from core.ranges import Part, part_of
from registry import services
from registry.integrity import opened, proven
from registry.manifest import ManifestFile
from registry.models import ModelVersion

# Below this, an address of its own costs the client more than it saves us.
LARGE = 8 << 20
# Whatever the file is, the browser saves it and runs nothing of it under our address.
HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-transform",
}


def open_file(
    request: HttpRequest | Request, actor: Actor, version: ModelVersion, path: str
) -> HttpResponseBase:
    """The file at ``path`` of the manifest, as registered; the download is recorded.

    A large file may be answered with the address of the object itself: signed for this one object
    and a minute, so that whoever learns it gains nothing that this person could not send on.
    """
    entry = next((ManifestFile(**each) for each in version.manifest if each["path"] == path), None)
    if entry is None:
        raise NotFound(f"{version} has no file {path[:256]!r}.")
    if not version.is_intact:
        raise Conflict(
            f"{version} is not handed out: its stored files differ from what was registered.",
            code="digest_mismatch",
        )
    name, etag = path.rsplit("/", 1)[-1], f'"{entry.sha256}"'
    headers = {**HEADERS, "ETag": etag, "Accept-Ranges": "bytes"}
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return _with(unchanged, headers)
    if request.method == "HEAD":
        return _attachment(iter(()), name, entry.size, headers)
    part = part_of(request.headers, entry.size, etag)
    if entry.size >= LARGE and (address := store().download_url(entry.sha256, name)):
        services.note_download(actor=actor, version=version, path=path, part=str(part or ""))
        return HttpResponse(status=307, headers={"Location": address, **headers})
    pieces = _pieces(actor, version, entry, part)
    services.note_download(actor=actor, version=version, path=path, part=str(part or ""))
    if part is None:
        return _attachment(pieces, name, entry.size, headers)
    return _attachment(pieces, name, part.length, {**headers, "Content-Range": str(part)}, status=206)


def _pieces(actor: Actor, version: ModelVersion, entry: ManifestFile, part: Part | None) -> Iterator[bytes]:
    """The bytes; what goes wrong with the first of them is still answered as what it is.

    Only the whole can be proven: whoever asks for a part has the digest to prove theirs with.
    """
    finder = replace(Actor.system(), request_id=actor.request_id)
    if part is None or part.is_whole:
        pieces = proven(version, entry, actor=finder)
    else:
        pieces = part.read(opened(version, entry, actor=finder))
    first = next(pieces, b"")
    return _going_on(first, pieces)


def _going_on(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def _attachment(
    pieces: Iterator[bytes], name: str, length: int, headers: dict[str, str], status: int = 200
) -> StreamingHttpResponse:
    """With its length, so that an answer that was cut is never taken for whole (RFC 9112, section 8)."""
    about = {
        "Content-Length": str(length),
        "Content-Disposition": content_disposition_header(True, name) or "attachment",
    }
    return StreamingHttpResponse(
        pieces, status=status, content_type="application/octet-stream", headers={**headers, **about}
    )


def _with(answer: HttpResponseBase, headers: dict[str, str]) -> HttpResponseBase:
    for name, value in headers.items():
        answer[name] = value
    return answer
