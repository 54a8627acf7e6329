"""Quotas, legal holds, tombstones, and the bytes that nobody needs any more."""

import pytest
from django.db import transaction
from django.utils import timezone

from core.errors import Conflict, NotAllowed, PreconditionFailed, TooLarge
from core.jobs import enqueue
from core.jobs.models import Job
from core.object_store import store
from registry import services
from registry.integrity import verify
from registry.storage import services as storage
from registry.storage.bytes_in_use import bytes_in_use
from registry.storage.models import LegalHold, ModelQuota, Tombstone
from tests.registry.test_registering_models import events
from tests.registry.tracking import FILES
from tests.tampering import age, digest_in, overwrite

pytestmark = pytest.mark.django_db
DAYS = 31


def collect(run_jobs):
    with transaction.atomic():
        job = enqueue("core.collect_unreferenced")
    run_jobs()
    job.refresh_from_db()
    assert job.status == "succeeded", job.failure
    return job.result


# --- quotas -----------------------------------------------------------------------------------


def test_a_version_that_does_not_fit_is_refused_with_the_figures(
    make_model, make_version, scientist, actor, settings
):
    model = make_model()
    make_version(model)
    used = bytes_in_use(model).used
    storage.set_quota(actor=actor(scientist), model=model, bytes=used + 100, reason="Small on purpose.")
    version = make_version(model, files={**FILES, "weights.bin": bytes(4096)})
    assert version.status == "FAILED_REGISTRATION"
    assert f"may keep {used + 100} bytes and keeps {used} in 1 versions" in version.status_message
    assert version.manifest == []
    storage.set_quota(actor=actor(scientist), model=model, bytes=used, reason="Full.")
    with pytest.raises(TooLarge) as refusal:
        services.create_version(actor=actor(scientist), model=model, source="runs:/r9/model")
    assert (refusal.value.code, refusal.value.field) == ("quota_exceeded", "source")
    [_, event] = events("registry.quota_set")
    assert event["before"] == {"quota_bytes": used + 100}
    assert event["after"] == {"quota_bytes": used}


def test_two_registrations_at_once_do_not_share_the_last_room(make_model, make_version, scientist, actor):
    from registry.contents import Contents
    from registry.mlmodel import Description
    from registry.run_facts import RunFacts

    model = make_model()
    version = make_version(model)
    storage.set_quota(
        actor=actor(scientist), model=model, bytes=2 * version.size - 1, reason="One and a half."
    )
    late = services.create_version(actor=actor(scientist), model=model, source="runs:/r9/model")
    contents = Contents(version.manifest, version.digest, Description(), RunFacts())
    from core.actors import Actor

    with pytest.raises(TooLarge):
        services.finish_registration(actor=Actor.system(), version=late, contents=contents)
    late.refresh_from_db()
    assert late.status == "PENDING_REGISTRATION"


def test_deleting_a_version_makes_room(make_model, make_version, scientist, actor):
    model = make_model()
    version = make_version(model)
    services.delete_version(actor=actor(scientist), version=version, reason="Superseded.")
    assert bytes_in_use(model).used == 0


def test_only_who_administers_everything_allows_more_than_the_installation(
    make_model, scientist, admin, reviewer, actor, settings
):
    settings.REGISTRY_MODEL_QUOTA_BYTES = 1000
    model = make_model()
    assert (bytes_in_use(model).quota, bytes_in_use(model).is_own) == (1000, False)
    with pytest.raises(NotAllowed):
        storage.set_quota(actor=actor(scientist), model=model, bytes=1001, reason="More.")
    with pytest.raises(NotAllowed):
        storage.set_quota(actor=actor(reviewer), model=model, bytes=10, reason="Less.")
    assert not ModelQuota.objects.exists()
    storage.set_quota(actor=actor(scientist), model=model, bytes=900, reason="Less.")
    storage.set_quota(actor=actor(admin), model=model, bytes=5000, reason="It is large.")
    assert bytes_in_use(model).quota == 5000
    storage.set_quota(actor=actor(admin), model=model, bytes=None, reason="As all others.")
    assert bytes_in_use(model).quota == 1000


def test_quotas_by_rest_and_on_the_page(make_model, make_version, scientist, stranger, client_for):
    make_version(make_model())
    browser = client_for(scientist)
    put = {"path": "/api/v1/models/delays/storage", "content_type": "application/json"}
    assert browser.put(data={"quota_bytes": 9, "reason": "x"}, **put).status_code == 428
    stale = {"headers": {"If-Match": '"another"'}}
    assert browser.put(data={"quota_bytes": 9, "reason": "x"}, **put, **stale).status_code == 412
    put["headers"] = {"If-Match": browser.get(put["path"])["ETag"]}
    for body, field in (
        ({"quota_bytes": 0, "reason": "x"}, "quota_bytes"),
        ({"quota_bytes": 2**63, "reason": "x"}, "quota_bytes"),
        ({"quota_bytes": "NaN", "reason": "x"}, "quota_bytes"),
        ({"quota_bytes": 10}, "reason"),
        ({"reason": "x"}, "quota_bytes"),
    ):
        answer = browser.put(data=body, **put)
        assert answer.status_code == 400
        assert field in str(answer.json()["errors"])
    answer = browser.put(data={"quota_bytes": 2 << 30, "reason": "Enough."}, **put)
    assert (answer.status_code, answer.json()["quota_bytes"], answer.json()["versions"]) == (200, 2 << 30, 1)
    page = browser.get("/models/delays/").content.decode()
    assert "2.0 GB" in page or "2.0 GiB" in page
    browser.post("/models/delays/quota/", {"gib": "", "reason": "As all others."})
    assert browser.get("/api/v1/models/delays/storage").json()["quota_bytes"] is None
    said = browser.post("/models/delays/quota/", {"gib": "-1", "reason": ""}, follow=True).content.decode()
    assert "Reason for the quota: This field is required." in said
    outside = client_for(stranger)
    assert outside.get("/api/v1/models/delays/storage").status_code == 404
    assert outside.put(data={"quota_bytes": 1, "reason": "x"}, **put).status_code == 404
    assert outside.post("/models/delays/quota/", {"gib": "1", "reason": "x"}).status_code == 404


def test_a_quota_changes_only_as_its_caller_has_seen_it(make_model, admin, actor):
    model, by = make_model(), actor(admin)
    seen = bytes_in_use(model).quota
    storage.set_quota(actor=by, model=model, bytes=1 << 30, reason="Small.", expected_quota=seen)
    with pytest.raises(PreconditionFailed):
        storage.set_quota(actor=by, model=model, bytes=2 << 30, reason="Large.", expected_quota=seen)
    assert bytes_in_use(model).quota == 1 << 30


# --- legal holds ------------------------------------------------------------------------------


def test_a_held_version_is_deleted_by_nobody(make_model, make_version, scientist, auditor, admin, actor):
    model = make_model()
    version = make_version(model)
    storage.place_hold(actor=actor(auditor), version=version, reason="Case 12 of 2026.")
    for account in (scientist, admin):
        with pytest.raises(Conflict, match="legal hold"):
            services.delete_version(actor=actor(account), version=version, reason="Old.")
        with pytest.raises(Conflict, match="legal hold"):
            services.delete_model(actor=actor(account), model=model, reason="Old.")
    with pytest.raises(Conflict):
        storage.place_hold(actor=actor(auditor), version=version, reason="Again.")
    storage.release_hold(actor=actor(auditor), version=version, reason="Case closed.")
    services.delete_version(actor=actor(scientist), version=version, reason="Old.")
    [placed] = events("registry.hold_placed")
    [released] = events("registry.hold_released")
    assert (placed["reason"], released["reason"]) == ("Case 12 of 2026.", "Case closed.")
    assert LegalHold.objects.get().release_reason == "Case closed."


def test_who_owns_the_model_does_not_lift_a_hold(
    make_model, make_version, scientist, reviewer, auditor, actor
):
    version = make_version(make_model())
    storage.place_hold(actor=actor(auditor), version=version, reason="Case 12.")
    for account in (scientist, reviewer):
        with pytest.raises(NotAllowed):
            storage.release_hold(actor=actor(account), version=version, reason="Mine.")
    assert LegalHold.objects.standing().count() == 1


def test_holds_by_rest_and_on_the_page(make_model, make_version, scientist, auditor, stranger, client_for):
    make_version(make_model())
    address = "/api/v1/models/delays/versions/1/hold"
    by = client_for(auditor)
    assert by.get(address).status_code == 404
    assert by.post(address, {}, content_type="application/json").status_code == 400
    assert by.post(address, {"reason": "Case."}, content_type="application/json").status_code == 201
    assert client_for(scientist).get(address).json()["placed_by"] == "auditor"
    assert "Case." in client_for(scientist).get("/models/delays/versions/1/").content.decode()
    assert client_for(stranger).get(address).status_code == 404
    assert (
        client_for(stranger).post("/models/delays/versions/1/hold/release/", {"reason": "x"}).status_code
        == 404
    )
    answer = client_for(scientist).post("/models/delays/versions/1/hold/release/", {"reason": "Mine."})
    assert answer.status_code == 403
    by.post("/models/delays/versions/1/hold/release/", {"reason": "Closed."})
    assert by.get(address).status_code == 404


# --- tombstones -------------------------------------------------------------------------------


def test_a_tombstone_says_who_when_why_and_what(make_model, make_version, scientist, actor):
    model = make_model()
    version = make_version(model)
    services.set_alias(actor=actor(scientist), model=model, alias="challenger", version=version)
    services.delete_version(actor=actor(scientist), version=version, reason="Trained on the wrong month.")
    stone = Tombstone.objects.get()
    assert (stone.model_name, stone.number, stone.digest) == ("delays", 1, version.digest)
    assert (stone.deleted_by_name, stone.reason) == ("scientist", "Trained on the wrong month.")
    assert stone.aliases == ["challenger"]
    assert (timezone.now() - stone.deleted_at).total_seconds() < 60


def test_deleting_a_model_buries_each_version(make_model, make_version, scientist, actor):
    model = make_model()
    for _ in range(2):
        make_version(model)
    services.delete_model(actor=actor(scientist), model=model, reason="Never used.")
    assert set(Tombstone.objects.values_list("number", "reason")) == {
        (1, "Never used."),
        (2, "Never used."),
    }


def test_deleted_versions_are_seen_by_who_administers_the_model(
    make_model, make_version, make_account, scientist, reviewer, stranger, admin, auditor, actor, client_for
):
    colleague = make_account("colleague", "data-scientist")
    model = make_model()
    services.delete_version(actor=actor(scientist), version=make_version(model), reason="Wrong.")
    other = make_model("others", by=colleague)
    version = make_version(other, by=colleague)
    services.delete_version(actor=actor(colleague), version=version, reason="Old.")

    def seen(account):
        client = client_for(account)
        items = client.get("/api/v1/deleted-versions").json()["items"]
        page = client.get("/deleted-versions/").content.decode()
        names = {each["model"] for each in items}
        assert names == {name for name in ("delays", "others") if f"{name} v1" in page}
        return names

    assert seen(scientist) == {"delays"}
    assert seen(admin) == seen(auditor) == {"delays", "others"}
    assert seen(reviewer) == seen(stranger) == set()
    narrowed = client_for(admin).get("/api/v1/deleted-versions?model=others").json()["items"]
    assert [(each["model"], each["reason"], each["deleted_by"]) for each in narrowed] == [
        ("others", "Old.", "colleague")
    ]
    services.delete_model(actor=actor(scientist), model=model, reason="All wrong.")
    assert seen(scientist) == set()
    assert "delays" in seen(admin)


def test_many_tombstones_cost_as_many_queries_as_one(make_model, make_row, scientist, actor, client_for):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    model, client = make_model(), client_for(scientist)

    def cost(address):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    addresses = ("/deleted-versions/", "/api/v1/deleted-versions")
    services.delete_version(actor=actor(scientist), version=make_row(model), reason="One.")
    cost(addresses[0])
    one = [cost(each) for each in addresses]
    for _ in range(11):
        services.delete_version(actor=actor(scientist), version=make_row(model), reason="More.")
    assert [cost(each) for each in addresses] == one


# --- collecting -------------------------------------------------------------------------------


def test_bytes_of_a_deleted_version_go_after_the_days_of_grace(
    make_model, make_version, scientist, actor, run_jobs
):
    from registry.models import ModelVersion

    kept = make_version(make_model("kept"))
    gone = make_version(make_model("gone"), files={**FILES, "weights.bin": b"only here"})
    alone, shared = digest_in(gone, "weights.bin"), digest_in(gone)
    assert digest_in(kept) == shared
    for digest in (alone, shared):
        age(digest, DAYS)
    services.delete_version(actor=actor(scientist), version=gone, reason="Old.")
    collect(run_jobs)
    assert store().exists(alone), "a deletion may be regretted for some days"
    ModelVersion.objects.filter(pk=gone.pk).update(deleted_at=timezone.now() - timezone.timedelta(days=DAYS))
    result = collect(run_jobs)
    assert not store().exists(alone)
    assert result["deleted"] >= 1
    verify(kept)


def test_new_bytes_are_left_alone_although_nothing_names_them_yet(db, run_jobs):
    import io

    fresh = store().put_stream(io.BytesIO(b"an upload whose row is not written yet")).digest
    old = store().put_stream(io.BytesIO(b"left by a registration that failed")).digest
    age(old, DAYS)
    assert collect(run_jobs) == {"objects": 2, "deleted": 1, "bytes": 34}
    assert store().exists(fresh)
    assert not store().exists(old)
    age(fresh, DAYS)
    store().put_stream(io.BytesIO(b"an upload whose row is not written yet"))
    assert collect(run_jobs)["deleted"] == 0, "stored again, it is new again"


def test_whatever_any_table_names_is_kept(db, run_jobs):
    """Every column that can hold a digest, of every table: none may be forgotten when one is added."""
    from django.apps import apps
    from django.db import models

    from core.object_store.collecting import SeenDigests, named_digests

    columns = {
        (model._meta.label, field.attname)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, models.CharField) and "digest" in field.name
        if model._meta.label != "core.Job"
    }
    assert ("pipelines.DatasetVersion", "source_digest") in columns
    assert ("registry_evaluations.Evaluation", "scores_digest") in columns
    assert ("audit.Export", "digest") in columns
    short = {name for name in columns if apps.get_model(name[0])._meta.get_field(name[1]).max_length != 64}
    assert not short, "a digest has 64 characters; the collector looks at columns of that length"
    list(named_digests())
    seen = SeenDigests()
    digests = [f"{number * 7919:064x}"[::-1] for number in range(1, 2000)]
    for digest in digests[:1000]:
        seen.add(digest)
    assert all(digest in seen for digest in digests[:1000])


def test_a_data_set_keeps_its_bytes_however_old(scientist, actor, run_jobs, tmp_path):
    from pipelines import services as data

    dataset = data.create_dataset(actor=actor(scientist), name="flights")
    (tmp_path / "rows.csv").write_text("hour,late\n1,0\n2,1\n")
    version = data.register_version(actor=actor(scientist), dataset=dataset, content=tmp_path / "rows.csv")
    run_jobs()
    version.refresh_from_db()
    for digest in (version.source_digest, version.digest):
        age(digest, 400)
    assert collect(run_jobs)["deleted"] == 0


def test_staged_uploads_are_cleaned_every_hour(db, run_jobs):
    import os
    import time

    staging = store()._folder("staging")
    for name, days in (("tmpold", 2), ("tmpnew", 0)):
        (staging / name).write_bytes(b"half")
        os.utime(staging / name, (time.time() - days * 86_400,) * 2)
    with transaction.atomic():
        enqueue("core.clean_staging")
    run_jobs()
    assert Job.objects.get(kind="core.clean_staging").result == {"removed": 1}
    assert [path.name for path in staging.iterdir()] == ["tmpnew"]


# --- what a mismatch leads to -----------------------------------------------------------------


def test_a_mismatch_opens_one_incident_and_blocks_what_could_load_it(
    make_model, make_version, scientist, operator, actor, run_jobs, client_for
):
    from monitoring.incidents.models import Incident

    version = make_version(make_model())
    overwrite(digest_in(version))
    for _ in range(2):
        services.request_verification(actor=actor(scientist), version=version)
        run_jobs()
    incident = Incident.objects.get()
    assert (incident.cause, incident.severity, incident.version) == ("integrity", "critical", version)
    version.refresh_from_db()
    assert not version.is_intact
    page = client_for(scientist).get("/models/delays/versions/1/").content.decode()
    assert "Nothing loads this version" in page
