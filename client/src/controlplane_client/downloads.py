"""Files out: streamed to a name of their own, checked, and only then put in place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from controlplane_client.errors import ControlPlaneError
from controlplane_client.records import File
from controlplane_client.transport import Transport

Received = Callable[[int], None]
CHUNK = 1 << 20


def fetch(
    transport: Transport, base: str, file: File, folder: Path, on_received: Received | None = None
) -> Path:
    """One file of a version; a wrong digest leaves nothing behind."""
    place = placed(folder, file.path)
    place.parent.mkdir(parents=True, exist_ok=True)
    # Of the name's digest: the name itself may be as long as a name can be.
    partial = place.with_name(f".{hashlib.sha256(place.name.encode()).hexdigest()[:16]}.part")
    digest = hashlib.sha256()
    try:
        with transport.stream(f"{base}/{quote(file.path)}") as response, partial.open("wb") as target:
            for chunk in response.iter_bytes(CHUNK):
                target.write(chunk)
                digest.update(chunk)
                if on_received:
                    on_received(len(chunk))
        if digest.hexdigest() != file.sha256:
            raise _differs(file.path, digest.hexdigest(), file.sha256)
        os.replace(partial, place)
    finally:
        partial.unlink(missing_ok=True)
    return place


def placed(folder: Path, path: str) -> Path:
    """Where the file goes: below the folder, whatever the server calls it."""
    parts = path.split("/")
    if any(part in {"", ".", ".."} or "\\" in part or ":" in part or "\x00" in part for part in parts):
        raise ControlPlaneError(
            {"code": "unsafe_path", "title": "Unsafe path", "detail": f"{path!r} is no path below a folder."}
        )
    return folder.joinpath(*parts)


def matches(place: Path, file: File) -> bool:
    """Whether exactly this file is there already."""
    return place.is_file() and place.stat().st_size == file.size and sha256_of(place) == file.sha256


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _differs(path: str, found: str, expected: str) -> ControlPlaneError:
    detail = f"{path} has SHA-256 {found}, and the manifest says {expected}. It was not kept."
    return ControlPlaneError({"code": "digest_mismatch", "title": "Digest mismatch", "detail": detail})
