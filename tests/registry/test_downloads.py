"""Handing out files: ranges by RFC 9110, and never the end of a file whose bytes are others."""

import pytest

from registry.integrity import DigestMismatch
from registry.models import ModelVersion
from tests.registry.test_registering_models import events
from tests.registry.tracking import FILES
from tests.tampering import digest_in, overwrite, remove

pytestmark = pytest.mark.django_db
CONTENT = bytes(range(256)) * 12_000  # three pieces: 3,072,000 bytes
SIZE = len(CONTENT)
ADDRESS = "/api/v1/models/delays/versions/1/files/weights.bin"


@pytest.fixture(params=["folder", "s3"])
def version(request, make_model, make_version):
    """Version 1 of ``delays`` with a large file, its bytes in a folder or in S3."""
    if request.param == "s3":
        request.getfixturevalue("s3_store")
    return make_version(make_model(), files={**FILES, "weights.bin": CONTENT})


@pytest.fixture
def in_folder(make_model, make_version):
    return make_version(make_model(), files={**FILES, "weights.bin": CONTENT})


def body(answer):
    return b"".join(answer.streaming_content)


def test_a_part_of_a_file_is_answered_from_either_store(version, token_client, scientist):
    client, etag = token_client(scientist), f'"{digest_in(version, "weights.bin")}"'
    proxied = f"/api/2.0/mlflow-artifacts/artifacts/versions/{version.pk}/weights.bin"
    for address in (ADDRESS, proxied):
        whole = client.get(address)
        assert (whole.status_code, whole["Accept-Ranges"], whole["ETag"]) == (200, "bytes", etag)
        assert (whole["Content-Length"], body(whole)) == (str(SIZE), CONTENT)
        for asked, start, stop in (
            ("bytes=2000000-", 2_000_000, SIZE),
            ("bytes=1048570-1048580", 1_048_570, 1_048_581),
            ("bytes=-7", SIZE - 7, SIZE),
            (f"bytes=5-{10 * SIZE}", 5, SIZE),
            ("bytes=0-", 0, SIZE),
            (f"bytes=-{10 * SIZE}", 0, SIZE),
        ):
            part = client.get(address, headers={"Range": asked, "If-Range": etag})
            assert (part.status_code, part["ETag"]) == (206, etag), asked
            assert part["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
            assert part["Content-Disposition"].startswith("attachment")
            assert (part["Content-Length"], body(part)) == (str(stop - start), CONTENT[start:stop])


def test_what_is_no_single_range_of_this_content_is_answered_by_the_whole(in_folder, token_client, scientist):
    client, etag = token_client(scientist), f'"{digest_in(in_folder, "weights.bin")}"'
    for headers in (
        {"Range": "bytes=0-1,5-6"},
        {"Range": "lines=0-1"},
        {"Range": "bytes=6-5"},
        {"Range": "bytes=x-"},
        {"Range": "bytes=-0"},
        {"Range": "bytes=0-1", "If-Range": '"another"'},
        {"Range": "bytes=0-1", "If-Range": f"W/{etag}"},
        {"Range": "bytes=0-1", "If-Range": "Fri, 27 Nov 2026 10:00:00 GMT"},
    ):
        answer = client.get(ADDRESS, headers=headers)
        assert (answer.status_code, "Content-Range" in answer) == (200, False), headers
        assert body(answer) == CONTENT
    head = client.head(ADDRESS, headers={"Range": "bytes=0-1"})  # ranges are of GET alone
    assert (head.status_code, head["Content-Length"]) == (200, str(SIZE))
    unchanged = client.get(ADDRESS, headers={"Range": "bytes=0-1", "If-None-Match": etag})
    assert (unchanged.status_code, unchanged["ETag"]) == (304, etag)


def test_a_range_behind_the_end_is_refused_with_the_size(in_folder, token_client, scientist):
    client = token_client(scientist)
    refused = client.get(ADDRESS, headers={"Range": f"bytes={SIZE}-"})
    assert (refused.status_code, refused["Content-Range"]) == (416, f"bytes */{SIZE}")
    problem = refused.json()
    assert (problem["code"], problem["status"]) == ("range_not_satisfiable", 416)
    assert problem["errors"][0]["allowed"] == f"bytes=0-{SIZE - 1}"
    proxied = f"/api/2.0/mlflow-artifacts/artifacts/versions/{in_folder.pk}/weights.bin"
    refused = client.get(proxied, headers={"Range": f"bytes={SIZE}-"})
    assert (refused.status_code, refused["Content-Range"]) == (416, f"bytes */{SIZE}")
    assert refused.json()["field"] == "Range"
    assert events("registry.file_downloaded") == []


def test_a_part_is_a_read_that_is_recorded_and_nobody_elses(in_folder, token_client, scientist, stranger):
    part = {"Range": "bytes=1-2"}
    assert token_client(stranger).get(ADDRESS, headers=part).status_code == 404
    assert token_client(stranger).get(ADDRESS, headers={"Range": f"bytes={SIZE}-"}).status_code == 404
    assert body(token_client(scientist).get(ADDRESS, headers=part)) == CONTENT[1:3]
    [event] = events("registry.file_downloaded")
    assert event["after"] == {"path": "weights.bin", "part": f"bytes 1-2/{SIZE}"}


@pytest.mark.parametrize(
    "stored",
    [CONTENT[:-1] + b"x", CONTENT[:2_000_000], CONTENT + CONTENT, b"x" + CONTENT[1:]],
    ids=["last byte", "shorter", "longer", "first byte"],
)
def test_other_bytes_never_end_as_a_whole_file(in_folder, token_client, scientist, stored):
    overwrite(digest_in(in_folder, "weights.bin"), stored)
    answer, received = token_client(scientist).get(ADDRESS), 0
    assert answer["Content-Length"] == str(SIZE)
    with pytest.raises(DigestMismatch):
        for piece in answer.streaming_content:
            received += len(piece)
    assert received < SIZE


def test_what_a_download_finds_is_what_verification_finds(
    version, make_version, token_client, scientist, run_jobs
):
    """The event, the block, and the other versions of the same object."""
    sharing = make_version(version.model, files={**FILES, "weights.bin": CONTENT})
    overwrite(digest_in(version, "weights.bin"), b"x" + CONTENT[1:])
    client = token_client(scientist)
    with pytest.raises(DigestMismatch):
        body(client.get(ADDRESS, headers={"X-Request-ID": "download-1"}))
    version.refresh_from_db()
    assert "stored bytes hash to" in version.integrity_failure
    [event] = events("registry.integrity_broken")
    assert (event["outcome"], event["after"]["path"]) == ("failed", "weights.bin")
    assert event["request"]["id"] == "download-1"
    refused = client.get(ADDRESS, headers={"Range": "bytes=0-1"})
    assert (refused.status_code, refused.json()["code"]) == (409, "digest_mismatch")
    run_jobs()
    assert not ModelVersion.objects.get(pk=sharing.pk).is_intact


@pytest.mark.parametrize("change, headers", [(overwrite, {}), (remove, {}), (remove, {"Range": "bytes=0-1"})])
def test_a_small_file_that_differs_and_one_that_is_gone_are_refused_in_words(
    make_model, make_version, token_client, scientist, change, headers
):
    version = make_version(make_model())
    change(digest_in(version))
    address = "/api/v1/models/delays/versions/1/files/model.pkl"
    refused = token_client(scientist).get(address, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "digest_mismatch")
    version.refresh_from_db()
    assert not version.is_intact
    assert events("registry.file_downloaded") == []


def test_an_empty_file_is_whole_and_has_no_parts(make_model, make_version, token_client, scientist):
    make_version(make_model(), files={**FILES, "weights.bin": b""})
    client = token_client(scientist)
    assert body(client.get(ADDRESS)) == b""
    assert client.get(ADDRESS, headers={"Range": "bytes=0-"}).status_code == 416
