"""Reading what lies beneath an S3 source's prefix: the worker's side, one object after another.

Errors name objects, never the server, its address or the keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from core.errors import Conflict, DomainError, TooLarge
from core.object_store.s3_client import Connection, client_of
from core.object_store.s3_reader import CHANGED, ObjectChanged, S3Reader
from pipelines.sources.models import Source
from pipelines.sources.places import is_named

CHUNK = 1 << 20
MOST_OBJECTS = 1000
FORMATS = {".parquet": "parquet", ".csv": "csv"}


@dataclass(frozen=True)
class Found:
    """An object as the bucket lists it; ``name`` is what follows the source's own prefix."""

    key: str
    name: str
    size: int
    etag: str

    @property
    def format(self) -> str:
        return FORMATS[Path(self.name).suffix.lower()]


@dataclass(frozen=True)
class Fetched:
    """An object that has been read to its end, and what its bytes were."""

    name: str
    format: str
    size: int
    digest: str
    etag: str
    version_id: str

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "size": self.size,
            "sha256": self.digest,
            "etag": self.etag,
            "version_id": self.version_id or None,
        }


class Prefix:
    """The tables beneath one prefix of a source."""

    def __init__(self, source: Source, prefix: str) -> None:
        if not is_named(source.endpoint):
            raise DomainError(
                f"The host of {source} is no longer in S3_SOURCE_ALLOWED_HOSTS.", code="source_missing"
            )
        self.source, self.below = source, f"{source.prefix}{prefix}"
        self.client = client_of(_connection(source))

    def listed(self) -> list[Found]:
        """Every table in key order; what is none of ours is refused by name, not left out."""
        found: list[Found] = []
        pages = self.client.get_paginator("list_objects_v2")
        with _told(self.source):
            for page in pages.paginate(Bucket=self.source.bucket, Prefix=self.below):
                found += [self._found(each) for each in page.get("Contents", []) if not _is_marker(each)]
                if len(found) > MOST_OBJECTS:
                    raise TooLarge(f"There are more than {MOST_OBJECTS:,} objects beneath this prefix.")
        if not found:
            raise DomainError("There is no object beneath this prefix.", code="source_empty")
        return sorted(found, key=lambda each: each.key.encode())

    def fetch(self, found: Found, path: Path, watch: Callable[[], None]) -> Fetched:
        """The content that was listed, in a file; another content in its place is refused."""
        hasher, size = hashlib.sha256(), 0
        with _told(self.source, found.name):
            reader = S3Reader(self.client, self.source.bucket, found.key, etag=found.etag)
            with reader, path.open("xb") as target:
                while chunk := reader.read(CHUNK):
                    watch()
                    hasher.update(chunk)
                    size += len(chunk)
                    target.write(chunk)
        if size != found.size:
            raise _changed(found.name)
        etag = found.etag.strip('"')
        return Fetched(found.name, found.format, size, hasher.hexdigest(), etag, reader.version_id)

    def require_same(self, before: list[Found]) -> None:
        """Objects that came, went or changed since ``before`` make what was read a mixture."""
        now = {each.name: each for each in self.listed()}
        for each in before:
            if now.pop(each.name, None) != each:
                raise _changed(each.name)
        if now:
            raise Conflict(f"The object {min(now)} came while the others were read.", code="object_changed")

    def _found(self, entry: dict[str, Any]) -> Found:
        name = entry["Key"].removeprefix(self.source.prefix)
        if Path(name).suffix.lower() not in FORMATS:
            raise DomainError(
                f"The object {name[:200]} is neither Parquet nor CSV by its name.", code="object_format"
            )
        return Found(entry["Key"], name, entry["Size"], entry["ETag"])


def _is_marker(entry: dict[str, Any]) -> bool:
    """Folders, and what writers leave beside their tables (_SUCCESS, .crc)."""
    name = entry["Key"].rsplit("/", 1)[-1]
    return not name or name.startswith(("_", "."))


def _connection(source: Source) -> Connection:
    access, _, rest = _keys(source).partition(":")
    secret, _, token = rest.partition(":")
    return Connection(
        endpoint=source.endpoint,
        region=source.region,
        access_key=access,
        secret_key=secret,
        session_token=token,
        addressing=source.addressing,
        is_anonymous=not access,
    )


def _keys(source: Source) -> str:
    if not source.credentials:
        return ""
    keys: str = settings.DATASETS_S3_KEYS.get(source.credentials, "")
    if not keys:
        raise DomainError(f"The keys of {source} are no longer configured.", code="source_missing")
    return keys


@contextmanager
def _told(source: Source, name: str = "") -> Iterator[None]:
    """The server's refusals in words; its own may carry addresses and key names."""
    try:
        yield
    except ObjectChanged as error:
        raise _changed(name) from error
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "an error"))[:60]
        if name and code in CHANGED:
            raise _changed(name) from error
        raise DomainError(f"The source {source} answered {code}.", code="source_refused") from error
    except BotoCoreError as error:
        raise DomainError(f"The source {source} could not be reached.", code="source_away") from error


def _changed(name: str) -> Conflict:
    return Conflict(f"The object {name} changed while it was read.", code="object_changed")
