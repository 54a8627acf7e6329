"""Stored bytes are hashed again before every use; a difference is reported and blocks."""

import pytest

from core.errors import NotAllowed
from core.events import on
from core.object_store import store
from registry import services
from registry.integrity import DigestMismatch, materialise, verify
from tests.registry.test_registering_models import events
from tests.registry.tracking import FILES
from tests.tampering import digest_in, overwrite, remove

pytestmark = pytest.mark.django_db


def test_a_private_copy_holds_exactly_what_was_registered(make_model, make_version, tmp_path):
    version = make_version(make_model())
    folder = materialise(version, tmp_path / "copy")
    assert sorted(each.name for each in folder.iterdir()) == sorted(FILES)
    assert (folder / "model.pkl").read_bytes() == FILES["model.pkl"]


def test_changed_bytes_are_never_handed_out(make_model, make_version, tmp_path):
    version = make_version(make_model())
    overwrite(digest_in(version))
    with pytest.raises(DigestMismatch) as refusal:
        materialise(version, tmp_path / "copy")
    assert refusal.value.code == "digest_mismatch"
    assert refusal.value.extra["path"] == "model.pkl"
    version.refresh_from_db()
    assert not version.is_intact
    [event] = events("registry.integrity_broken")
    assert (event["outcome"], event["after"]["path"]) == ("failed", "model.pkl")


def test_missing_bytes_are_reported_alike(make_model, make_version, tmp_path):
    version = make_version(make_model())
    remove(digest_in(version))
    with pytest.raises(DigestMismatch):
        verify(version)
    version.refresh_from_db()
    assert "no object" in version.integrity_failure


def test_a_manifest_changed_in_memory_is_noticed(make_model, make_version, tmp_path):
    version = make_version(make_model())
    version.manifest = [*version.manifest, {"path": "more", "size": 1, "sha256": "0" * 64}]
    with pytest.raises(DigestMismatch):
        materialise(version, tmp_path / "copy")


def test_verification_is_a_job_that_heals_its_own_finding(
    make_model, make_version, scientist, actor, run_jobs
):
    version = make_version(make_model())
    digest = digest_in(version)
    overwrite(digest)
    job = services.request_verification(actor=actor(scientist), version=version)
    run_jobs()
    job.refresh_from_db()
    assert job.status == "failed"
    assert "stored bytes hash to" in job.failure
    overwrite(digest, FILES["model.pkl"])
    services.request_verification(actor=actor(scientist), version=version)
    run_jobs()
    version.refresh_from_db()
    assert version.is_intact
    assert len(events("registry.integrity_restored")) == 1


def test_a_broken_object_is_looked_for_in_every_version_that_names_it(make_model, make_version, run_jobs):
    model = make_model()
    first, second = make_version(model), make_version(model)
    shared = {each["sha256"] for each in first.manifest} & {each["sha256"] for each in second.manifest}
    place = store().path_for(min(shared))
    kept = place.read_bytes()
    place.chmod(0o600)
    place.write_bytes(b"x" + kept)
    with pytest.raises(DigestMismatch):
        verify(first)
    run_jobs()
    second.refresh_from_db()
    assert not second.is_intact
    place.write_bytes(kept)
    verify(first)
    run_jobs()
    second.refresh_from_db()
    assert second.is_intact


def test_upper_packages_hear_of_a_break(make_model, make_version, run_jobs, monkeypatch):
    from core import events as topics

    monkeypatch.setattr(topics, "_handlers", {})
    heard = []
    on("registry.integrity_broken")(heard.append)
    version = make_version(make_model())
    overwrite(digest_in(version))
    with pytest.raises(DigestMismatch):
        verify(version)
    run_jobs()
    assert heard[0]["subject_id"] == str(version.pk)
    assert heard[0]["path"] == "model.pkl"


def test_a_stranger_cannot_ask_for_verification(make_model, make_version, stranger, actor):
    version = make_version(make_model())
    with pytest.raises(NotAllowed):
        services.request_verification(actor=actor(stranger), version=version)


def test_every_night_versions_are_hashed_again(make_model, make_version, run_jobs):
    from datetime import timedelta

    from django.db import transaction
    from django.utils import timezone

    from core.jobs import enqueue
    from registry.models import ModelVersion

    version = make_version(make_model())
    ModelVersion.objects.update(verified_at=timezone.now() - timedelta(days=1))
    with transaction.atomic():
        enqueue("registry.verify_versions")
    run_jobs()
    version.refresh_from_db()
    assert version.verified_at > timezone.now() - timedelta(minutes=1)


def test_a_version_whose_worker_died_for_good_says_so(make_model, tracking, scientist, actor, run_jobs):
    from datetime import timedelta

    from django.db import transaction
    from django.utils import timezone

    from core.jobs import enqueue
    from core.jobs.models import Job
    from registry.models import ModelVersion

    version = services.create_version(actor=actor(scientist), model=make_model(), source="runs:/r1/model")
    Job.objects.update(status="failed", failure="Its workers died; no attempts are left.")
    ModelVersion.objects.update(last_updated_at=timezone.now() - timedelta(hours=1))
    with transaction.atomic():
        enqueue("registry.fail_stalled_versions")
    run_jobs()
    version.refresh_from_db()
    assert (version.status, version.status_message) == (
        "FAILED_REGISTRATION",
        "Its workers died; no attempts are left.",
    )
