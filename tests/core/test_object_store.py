"""One interface, two places: everything holds for a folder and for a real S3."""

import errno
import hashlib
import io
import os
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Invalid, Unavailable
from core.object_store import ObjectMissing, store
from core.object_store.s3 import PART

LATER, EARLIER = timedelta(hours=1), timedelta(hours=-1)


@pytest.fixture(params=["folder", "s3"])
def objects(request, settings):
    if request.param == "s3":
        request.getfixturevalue("s3_store")
    return store()


def named(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def soon(by=LATER):
    return datetime.now(UTC) + by


def listing(objects):
    return {each.digest: each.size for each in objects.objects()}


def staged(objects) -> list:
    """What lies in the staging place, by the means of the place itself."""
    if hasattr(objects, "root"):
        return list((objects.root / "staging").iterdir())
    found = objects.client.list_objects_v2(Bucket=objects.bucket, Prefix=objects._key("staging/"))
    return [*found.get("Contents", []), *objects._unfinished()]


class Broken(Exception):
    pass


def test_content_comes_back_under_its_digest(objects):
    stored = objects.put_stream(io.BytesIO(b"hello"))
    assert (stored.digest, stored.size) == (named(b"hello"), 5)
    assert objects.exists(stored.digest)
    assert objects.open(stored.digest).read() == b"hello"
    assert objects.digest_of(stored.digest) == stored.digest


def test_empty_content_and_empty_chunks_are_content(objects):
    assert objects.put_stream(io.BytesIO(b"")).size == 0
    assert objects.open(named(b"")).read() == b""
    assert objects.put_stream(iter([b"a", b"", b"b"])).digest == named(b"ab")


def test_content_of_several_parts_is_stored_whole(objects):
    piece = os.urandom(1 << 20)
    pieces = [piece] * (2 * (PART >> 20) + 3)
    content = b"".join(pieces)
    stored = objects.put_stream(iter(pieces))
    assert (stored.digest, stored.size) == (named(content), len(content))
    assert objects.digest_of(stored.digest) == stored.digest
    assert staged(objects) == []


def test_a_reader_jumps_as_in_a_file(objects):
    content = os.urandom(3 << 20)
    digest = objects.put_stream(io.BytesIO(content)).digest
    with objects.open(digest) as file:
        assert file.seek(0, os.SEEK_END) == len(content)
        file.seek(-5, os.SEEK_END)
        assert file.read() == content[-5:]
        file.seek(1 << 20)
        assert file.read(7) == content[1 << 20 : (1 << 20) + 7]
        assert file.read(0) == b""


def test_the_same_content_twice_is_one_object(objects):
    for _ in range(2):
        objects.put_stream(io.BytesIO(b"same"))
    assert listing(objects) == {named(b"same"): 4}


@pytest.mark.parametrize("megabytes", [0, PART >> 20], ids=["small", "several-parts"])
def test_a_source_that_breaks_leaves_nothing_behind(objects, megabytes):
    def cut():
        for _ in range(megabytes + 1):
            yield bytes(1 << 20)
        raise Broken

    with pytest.raises(Broken):
        objects.put_stream(cut())
    assert staged(objects) == []
    assert listing(objects) == {}


def test_what_a_killed_upload_left_is_cleaned_once_it_is_old(objects):
    if hasattr(objects, "root"):
        objects._folder("staging").joinpath("tmpabc").write_bytes(b"half")
    else:
        key = objects._key("staging/abandoned")
        begun = objects.client.create_multipart_upload(Bucket=objects.bucket, Key=key)
        objects.client.upload_part(
            Bucket=objects.bucket, Key=key, UploadId=begun["UploadId"], PartNumber=1, Body=b"half"
        )
        objects.client.put_object(Bucket=objects.bucket, Key=objects._key("staging/whole"), Body=b"whole")
    kept = objects.put_stream(io.BytesIO(b"kept")).digest
    assert objects.clean_staging(soon(EARLIER)) == 0
    assert objects.clean_staging(soon()) == (1 if hasattr(objects, "root") else 2)
    assert staged(objects) == []
    assert objects.exists(kept)


def test_what_is_not_there_is_missing_and_not_a_failure_of_the_store(objects):
    with pytest.raises(ObjectMissing):
        objects.open("0" * 64)
    with pytest.raises(ObjectMissing):
        objects.open_named("predictions/none.parquet")
    with objects.local_files() as files, pytest.raises(ObjectMissing):
        files.of("0" * 64)
    assert not objects.exists("0" * 64)


@pytest.mark.parametrize("digest", ["", "A" * 64, "../" + "0" * 61, "0" * 63, "0" * 64 + "\n"])
def test_only_a_digest_names_an_object(objects, digest):
    with pytest.raises(Invalid):
        objects.open(digest)


@pytest.mark.parametrize(
    "key", ["", "../up", "a//b", "/a", "a/.hidden", "a/%2e%2e/b", "a\\b", "a/" + "x" * 300]
)
def test_only_plain_names_are_keys(objects, key, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(Invalid):
        objects.put_named(key, tmp_path / "file")


def test_a_named_object_is_replaced_at_once(objects, tmp_path):
    for content in (b"first", b"second"):
        (tmp_path / "file").write_bytes(content)
        stored = objects.put_named("monitoring/x/day.parquet", tmp_path / "file")
        assert stored.digest == named(content)
        assert objects.open_named("monitoring/x/day.parquet").read() == content
    assert listing(objects) == {}


def test_libraries_get_files(objects, tmp_path):
    (tmp_path / "file").write_bytes(b"rows")
    digest = objects.put_file(tmp_path / "file").digest
    objects.put_named("a/one.parquet", tmp_path / "file")
    objects.put_named("b/one.parquet", tmp_path / "file")
    with objects.local_files() as files:
        paths = {files.of(digest), files.named("a/one.parquet"), files.named("b/one.parquet")}
        assert len(paths) == 3
        assert {path.read_bytes() for path in paths} == {b"rows"}


def test_a_copy_says_what_was_really_there(objects, tmp_path):
    digest = objects.put_stream(io.BytesIO(b"bytes")).digest
    assert objects.copy_to(digest, tmp_path / "in" / "copy").digest == digest
    assert (tmp_path / "in" / "copy").read_bytes() == b"bytes"


def test_an_object_is_discarded_only_if_nobody_stored_it_again(objects):
    digest = objects.put_stream(io.BytesIO(b"old")).digest
    assert not objects.discard(digest, soon(EARLIER))
    assert objects.exists(digest)
    assert objects.discard(digest, soon())
    assert not objects.exists(digest)
    assert not objects.discard(digest, soon())


def test_the_probe_says_what_the_store_is(objects):
    assert "folder" in objects.probe() or "S3 bucket" in objects.probe()


def test_a_full_disk_is_a_store_that_does_not_answer(settings, monkeypatch):
    from core.object_store import folder

    def refuse(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder.os, "fsync", refuse)
    with pytest.raises(Unavailable, match="No space left"):
        store().put_stream(io.BytesIO(b"too much"))
    assert staged(store()) == []
    assert listing(store()) == {}


def test_a_server_that_is_away_is_a_store_that_does_not_answer(s3_store, settings):
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
    with pytest.raises(Unavailable) as refusal:
        store().probe()
    assert not isinstance(refusal.value, ObjectMissing)
    settings.S3_ENDPOINT_URL, settings.S3_SECRET_ACCESS_KEY = s3_store.url, "wrong"
    with pytest.raises(Unavailable, match=r"SignatureDoesNotMatch|AccessDenied|Forbidden|403"):
        store().put_stream(io.BytesIO(b"x"))


def test_a_connection_cut_while_reading_is_taken_up_where_it_broke(s3_store):
    content = os.urandom(4 << 20)
    digest = store().put_stream(io.BytesIO(content)).digest
    with store().open(digest) as file:
        first = file.read(1 << 20)
        file.raw._body.close()  # the server's side is gone
        assert first + file.read() == content


def test_an_address_signed_for_a_download_gives_an_attachment_for_a_minute(s3_store, settings):
    import httpx

    digest = store().put_stream(io.BytesIO(b"weights")).digest
    assert store().download_url(digest, "a.bin") is None
    settings.S3_PRESIGNED_DOWNLOADS = True
    url = store().download_url(digest, 'a"b.html')
    answer = httpx.get(url)
    assert answer.content == b"weights"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "X-Amz-Expires=60" in url
    assert httpx.get(url.split("?")[0]).status_code == 403
