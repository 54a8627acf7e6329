"""Objects in a bucket: any S3, spoken to with boto3.

A stream whose digest is not known before its end goes to ``staging/`` first (multipart, one part
in memory) and is copied to its place by the server. An object is at its place completely or not.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from core.identifiers import new_id
from core.object_store.interface import (
    CHUNK,
    HashedSource,
    ListedObject,
    LocalFiles,
    ObjectMissing,
    ObjectStore,
    Source,
    StoredObject,
    hashed,
    place_of,
    place_of_key,
)
from core.object_store.s3_client import answers, client, place_in_bucket
from core.object_store.s3_reader import S3Reader

PART = 16 << 20
COPIED_PART = 256 << 20
# One part in memory, whatever the size of the object: many uploads run in one web process.
UPLOADING = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, use_threads=False)
COPYING = TransferConfig(
    multipart_threshold=2 * COPIED_PART, multipart_chunksize=COPIED_PART, max_concurrency=4
)
ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
PRESIGNED_SECONDS = 60


class S3Store(ObjectStore):
    """One bucket, below a prefix."""

    def __init__(self, client: Any, probing: Any, bucket: str, prefix: str, encryption: str = "") -> None:
        self.client, self.probing = client, probing
        self.bucket, self.prefix = bucket, prefix
        self.encryption = _encryption(encryption)

    def put_stream(self, source: Source) -> StoredObject:
        measured = HashedSource(source)
        head = measured.read(PART)
        if len(head) < PART:
            stored = measured.stored()
            with answers():
                self.client.put_object(Body=head, **self._at(place_of(stored.digest)), **self._put())
            return stored
        measured.unread(head)
        return self._put_large(measured)

    def put_file(self, path: Path) -> StoredObject:
        stored = hashed(path)
        self._upload(path, place_of(stored.digest))
        return stored

    def put_named(self, key: str, path: Path) -> StoredObject:
        stored = hashed(path)
        self._upload(path, place_of_key(key))
        return stored

    def exists(self, digest: str) -> bool:
        with answers():
            try:
                self.client.head_object(**self._at(place_of(digest)))
            except ClientError as error:
                if _is_absent(error):
                    return False
                raise
        return True

    def open(self, digest: str) -> BinaryIO:
        return self._opened(place_of(digest), f"sha256:{digest}")

    def open_named(self, key: str) -> BinaryIO:
        return self._opened(place_of_key(key), f"named {key}")

    @contextmanager
    def local_files(self) -> Iterator[LocalFiles]:
        with tempfile.TemporaryDirectory(prefix="objects-") as scratch:
            yield FetchedFiles(self, Path(scratch))

    def download_url(self, digest: str, file_name: str) -> str | None:
        """Signed for one object and a minute; the answer is an attachment of another origin."""
        if not settings.S3_PRESIGNED_DOWNLOADS:
            return None
        wanted = {
            **self._at(place_of(digest)),
            "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(file_name)}",
            "ResponseContentType": "application/octet-stream",
            "ResponseCacheControl": "private, no-store",
        }
        with answers():
            url: str = self.client.generate_presigned_url(
                "get_object", Params=wanted, ExpiresIn=PRESIGNED_SECONDS
            )
        return url

    def objects(self) -> Iterator[ListedObject]:
        for entry in self._listed("objects/"):
            yield ListedObject(entry["Key"].rsplit("/", 1)[-1], entry["Size"], entry["LastModified"])

    def discard(self, digest: str, stored_before: datetime) -> bool:
        """S3 has no move: between the look and the deletion lies one request."""
        place = self._at(place_of(digest))
        with answers():
            try:
                found = self.client.head_object(**place)
            except ClientError as error:
                if _is_absent(error):
                    return False
                raise
            if found["LastModified"] >= stored_before:
                return False
            self.client.delete_object(**place)
        return True

    def clean_staging(self, before: datetime) -> int:
        """Staged objects, and parts of uploads that nobody completed."""
        cleaned = 0
        for entry in self._listed("staging/"):
            if entry["LastModified"] < before:
                with answers():
                    self.client.delete_object(Bucket=self.bucket, Key=entry["Key"])
                cleaned += 1
        with answers():
            for upload in self._unfinished():
                if upload["Initiated"] < before:
                    self.client.abort_multipart_upload(
                        Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )
                    cleaned += 1
        return cleaned

    def probe(self) -> str:
        with answers():
            self.probing.head_bucket(Bucket=self.bucket)
        return f"S3 bucket {self.bucket} answers"

    def _put_large(self, measured: HashedSource) -> StoredObject:
        staged = f"staging/{new_id()}"
        try:
            with answers():
                self.client.upload_fileobj(
                    measured,
                    self.bucket,
                    self._key(staged),
                    ExtraArgs=self._put(),
                    Config=UPLOADING,
                )
                stored = measured.stored()
                place = self._key(place_of(stored.digest))
                self.client.copy(
                    self._at(staged), self.bucket, place, ExtraArgs=self.encryption, Config=COPYING
                )
        finally:
            self._forget(staged)
        return stored

    def _forget(self, staged: str) -> None:
        """Best effort: what stays is removed by the clean-up job."""
        try:
            self.client.delete_object(**self._at(staged))
        except (BotoCoreError, ClientError):
            return

    def _upload(self, path: Path, place: str) -> None:
        with answers():
            self.client.upload_file(
                str(path), self.bucket, self._key(place), ExtraArgs=self._put(), Config=UPLOADING
            )

    def _opened(self, place: str, name: str) -> BinaryIO:
        with answers():
            try:
                raw = S3Reader(self.client, self.bucket, self._key(place))
            except ClientError as error:
                if _is_absent(error):
                    raise ObjectMissing(f"The store has no object {name}.") from error
                raise
        return io.BufferedReader(raw, CHUNK)

    def _listed(self, below: str) -> Iterator[dict[str, Any]]:
        pages = self.client.get_paginator("list_objects_v2")
        with answers():
            for page in pages.paginate(Bucket=self.bucket, Prefix=self._key(below)):
                yield from page.get("Contents", [])

    def _unfinished(self) -> Iterable[dict[str, Any]]:
        pages = self.client.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=self.bucket, Prefix=self._key("")):
            yield from page.get("Uploads", [])

    def _put(self) -> dict[str, str]:
        """Each request carries the SHA-256 of its body, which the server compares."""
        return {"ChecksumAlgorithm": "SHA256", **self.encryption}

    def _at(self, place: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self._key(place)}

    def _key(self, place: str) -> str:
        return f"{self.prefix}/{place}" if self.prefix else place


class FetchedFiles(LocalFiles):
    """Private copies, deleted with the block."""

    def __init__(self, store: S3Store, folder: Path) -> None:
        self.store, self.folder = store, folder

    def of(self, digest: str) -> Path:
        return self._fetched(self.store.open(digest), place_of(digest))

    def named(self, key: str) -> Path:
        return self._fetched(self.store.open_named(key), place_of_key(key))

    def _fetched(self, content: BinaryIO, place: str) -> Path:
        name = hashlib.sha256(place.encode()).hexdigest()[:16]
        path = self.folder / f"{name}-{place.rsplit('/', 1)[-1]}"
        with content, path.open("wb") as target:
            while chunk := content.read(CHUNK):
                target.write(chunk)
        return path


def store_at(root: str) -> S3Store:
    """The store of an address, over a client that this process shares."""
    bucket, prefix = place_in_bucket(root)
    return S3Store(client(), client(is_probing=True), bucket, prefix, settings.S3_ENCRYPTION)


def _encryption(setting: str) -> dict[str, str]:
    """``AES256``, ``aws:kms`` or ``aws:kms:<key>`` as the headers of an upload."""
    if not setting:
        return {}
    if setting.startswith("aws:kms:"):
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": setting.removeprefix("aws:kms:")}
    return {"ServerSideEncryption": setting}


def _is_absent(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") in ABSENT
