"""The bucket MLflow keeps artifacts in; loaded only where they are in S3."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from core.errors import Invalid, NotFound, TryLater
from core.object_store.interface import CHUNK
from core.object_store.s3_client import answers, client, place_in_bucket
from core.object_store.s3_reader import S3Reader
from registry.manifest import MOST_FILES
from registry.sources import checked_path
from registry.tracked import Entry, FileState


class ArtifactBucket:
    """What MLflow's own S3 support wrote below an address, read without MLflow."""

    def __init__(self, root: str) -> None:
        self.client = client()
        self.bucket, self.prefix = place_in_bucket(root)

    def files(self, path: str) -> Iterator[tuple[str, BinaryIO]]:
        """Relative path and open content of each file below ``path``, in order of their paths."""
        below = "/".join(filter(None, [self.prefix, checked_path(path)])) + "/"
        count = 0
        for key in self._keys(below):
            count += 1
            if count > MOST_FILES:
                raise Invalid(
                    f"The source holds more than {MOST_FILES} files.", field="source", allowed=MOST_FILES
                )
            with self._opened(key) as content:
                yield key.removeprefix(below), content
        if not count:
            raise NotFound(f"The artifact storage has no folder {path}.", field="source")

    def listed(self, path: str, most: int) -> list[Entry]:
        """The first so many of a folder by name; a bucket gives them in that order."""
        below = "/".join(filter(None, [self.prefix, checked_path(path)])) + "/"
        with answers():
            # One more, since the folder itself may be an object.
            page = self.client.list_objects_v2(
                Bucket=self.bucket, Prefix=below, Delimiter="/", MaxKeys=most + 1
            )
        folders = [
            Entry(each["Prefix"].removeprefix(below).rstrip("/"), None)
            for each in page.get("CommonPrefixes", [])
        ]
        files = [Entry(each["Key"].removeprefix(below), each["Size"]) for each in page.get("Contents", [])]
        found = sorted((each for each in [*folders, *files] if each.name), key=lambda each: each.name)
        if not found:
            raise NotFound(f"The artifact storage has no folder {path}.", field="source")
        return found[:most]

    def states(self, path: str) -> Iterator[FileState]:
        """Every file below ``path``, by what the bucket lists of it."""
        below = "/".join(filter(None, [self.prefix, checked_path(path)])) + "/"
        is_empty = True
        for each in self._entries(below):
            is_empty = False
            yield FileState(each["Key"].removeprefix(below), each["Size"], each["LastModified"])
        if is_empty:
            raise NotFound(f"The artifact storage has no folder {path}.", field="source")

    def opened(self, path: str) -> BinaryIO:
        """One file."""
        key = "/".join(filter(None, [self.prefix, checked_path(path)]))
        with answers():
            try:
                raw: Any = S3Reader(self.client, self.bucket, key)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in {"404", "NoSuchKey"}:
                    raise NotFound(f"The artifact storage has no file {path}.", field="source") from error
                raise
        return io.BufferedReader(raw, CHUNK)

    def _keys(self, below: str) -> Iterator[str]:
        for entry in self._entries(below):
            yield entry["Key"]

    def _entries(self, below: str) -> Iterator[dict[str, Any]]:
        """What is a file; some consoles mark a folder with an empty object that ends in '/'."""
        pages = self.client.get_paginator("list_objects_v2")
        with answers():
            for page in pages.paginate(Bucket=self.bucket, Prefix=below):
                for entry in page.get("Contents", []):
                    if not entry["Key"].endswith("/"):
                        yield entry

    def _opened(self, key: str) -> BinaryIO:
        with answers():
            try:
                raw: Any = S3Reader(self.client, self.bucket, key)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in {"404", "NoSuchKey"}:
                    raise TryLater(f"The artifact {key} was deleted while it was read.") from error
                raise
        return io.BufferedReader(raw, CHUNK)


def bucket_at(root: str) -> ArtifactBucket:
    """The bucket of an address ``s3://bucket/prefix``."""
    return ArtifactBucket(root)
