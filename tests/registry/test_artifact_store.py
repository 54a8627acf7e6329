"""Registering, proving and handing out files that are in S3, artifacts of MLflow's app included."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.errors import NotFound, TryLater
from core.object_store import store
from registry import services
from registry.backends import Entry, artifact_storage
from registry.integrity import DigestMismatch, materialise, verify
from tests.registry.test_registering_models import events
from tests.registry.tracking import FILES
from tests.tampering import digest_in, overwrite

pytestmark = pytest.mark.django_db


@pytest.fixture
def bucket(s3_store, settings, tracking):
    """Artifacts and objects in one bucket; what the tracking stand-in writes goes there too."""
    settings.TRACKING_ARTIFACTS = f"{settings.ARTIFACT_ROOT}/mlflow"
    root = settings.TRACKING_ARTIFACTS.removeprefix("s3://").partition("/")[2]
    client = s3_store.client()

    def write(folder, files, run_id):
        for name, content in files.items():
            body = content.replace("%(run_id)s", run_id) if isinstance(content, str) else content
            client.put_object(Bucket=s3_store.bucket, Key=f"{root}/{folder}/{name}", Body=body)

    tracking.write = write
    return s3_store


def test_a_version_is_registered_copied_and_downloaded_from_s3(
    bucket, make_model, make_version, scientist, client_for, tmp_path
):
    version = make_version(make_model())
    assert version.status == "READY", version.status_message
    assert [each["path"] for each in version.manifest] == sorted(FILES)
    folder = materialise(version, tmp_path / "copy")
    assert (folder / "model.pkl").read_bytes() == FILES["model.pkl"]
    answer = client_for(scientist).get("/api/v1/models/delays/versions/1/files/model.pkl")
    assert b"".join(answer.streaming_content) == FILES["model.pkl"]
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Security-Policy"].startswith("sandbox")


def test_folders_of_the_bucket_are_listed_by_name_and_a_file_is_read(bucket, tracking):
    tracking.add_run("r1", {"b.txt": "b", "a/inner.txt": "inner", "c.bin": b"123"})
    storage, home = artifact_storage(), "0/r1/artifacts/model"
    assert storage.listed(home, 9) == [Entry("a", None), Entry("b.txt", 1), Entry("c.bin", 3)]
    assert storage.listed(home, 2) == [Entry("a", None), Entry("b.txt", 1)]
    with storage.opened(f"{home}/a/inner.txt") as content:
        assert content.read() == b"inner"
    states = {each.path: (each.size, timezone.now() - each.changed_at) for each in storage.states(home)}
    assert {path: size for path, (size, _) in states.items()} == {"a/inner.txt": 5, "b.txt": 1, "c.bin": 3}
    assert all(age < timedelta(minutes=2) for _, age in states.values())
    for read in (
        lambda: storage.listed(f"{home}/none", 9),
        lambda: storage.opened(f"{home}/none"),
        lambda: list(storage.states(f"{home}/none")),
    ):
        with pytest.raises(NotFound):
            read()


def test_an_absent_folder_of_the_bucket_fails_the_registration(bucket, make_model, make_version):
    version = make_version(make_model(), files={})
    assert (version.status, version.status_message) == (
        "FAILED_REGISTRATION",
        f"The artifact storage has no folder 0/{version.run_id}/artifacts/model.",
    )


def test_bytes_changed_in_the_bucket_are_never_handed_out(
    bucket, make_model, make_version, scientist, client_for, tmp_path
):
    version = make_version(make_model())
    overwrite(digest_in(version))
    with pytest.raises(DigestMismatch):
        materialise(version, tmp_path / "copy")
    assert len(events("registry.integrity_broken")) == 1
    answer = client_for(scientist).get("/api/v1/models/delays/versions/1/files/MLmodel")
    assert (answer.status_code, answer.json()["code"]) == (409, "digest_mismatch")


def test_a_store_that_is_away_breaks_nothing_and_the_job_is_tried_again(
    bucket, make_model, make_version, scientist, actor, client_for, settings, tmp_path
):
    version = make_version(make_model())
    job = services.request_verification(actor=actor(scientist), version=version)
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
    with pytest.raises(TryLater):
        verify(version)
    from core.jobs.run import run_job

    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.attempt) == ("queued", 1)
    assert "does not answer" in job.failure
    version.refresh_from_db()
    assert version.is_intact
    assert events("registry.integrity_broken") == []
    browser = client_for(scientist)
    assert browser.get("/models/delays/versions/1/").status_code == 200
    assert browser.get("/api/v1/models/delays/versions/1/files/MLmodel").status_code == 503
    ready = browser.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["parts"]["store"].startswith("The object store does not answer")


def test_large_files_may_be_fetched_from_s3_itself(
    bucket, make_model, make_version, scientist, client_for, settings
):
    import httpx

    content = bytes(9 << 20)
    make_version(make_model(), files={**FILES, "weights.bin": content})
    settings.S3_PRESIGNED_DOWNLOADS = True
    browser = client_for(scientist)
    small = browser.get("/api/v1/models/delays/versions/1/files/MLmodel")
    large = browser.get("/api/v1/models/delays/versions/1/files/weights.bin")
    assert (small.status_code, large.status_code) == (200, 307)
    assert large["Location"].startswith(bucket.url)
    assert httpx.get(large["Location"]).content == content
    assert len(events("registry.file_downloaded")) == 2


def test_a_file_larger_than_a_version_may_be_is_not_kept_in_part(bucket, make_model, make_version, settings):
    settings.REGISTRY_LARGEST_VERSION_BYTES = 20 << 20
    version = make_version(make_model(), files={"MLmodel": "{}", "weights.bin": bytes(21 << 20)})
    assert version.status == "FAILED_REGISTRATION"
    assert "larger than" in version.status_message
    assert [each.size for each in store().objects()] == [2]


@pytest.mark.parametrize("place", ["folder", "s3"])
def test_a_cancelled_registration_stops_in_the_middle_of_a_large_file(
    place, request, tracking, make_model, scientist, actor, monkeypatch
):
    from core.jobs.lease import LeaseLost
    from registry import contents
    from registry.backends import artifact_storage, tracking_server

    if place == "s3":
        request.getfixturevalue("bucket")
    monkeypatch.setattr(contents, "SAID_EVERY", 4 << 20)
    source = tracking.add_run("r1", {"weights.bin": bytes(40 << 20)})
    version = services.create_version(actor=actor(scientist), model=make_model(), source=source)
    said = []

    def progress(percent, step):
        said.append(step)
        if "bytes" in step and len(said) > 6:
            raise LeaseLost

    with pytest.raises(LeaseLost):
        contents.collect(version, tracking=tracking_server(), storage=artifact_storage(), progress=progress)
    assert said[-1] == f"Hashing: 0 files, {24 << 20} bytes"
    assert list(store().objects()) == []
    assert store().clean_staging(timezone.now() + timedelta(hours=1)) == 0
