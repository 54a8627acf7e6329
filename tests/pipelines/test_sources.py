"""Sources: named by admins, used by whom they were granted to, unknown to everybody else; buckets read whole."""

import json

import polars
import pyarrow.parquet as pq
import pytest

from audit.models import Event
from core.errors import DomainError, Invalid, NotAllowed
from core.object_store import store
from pipelines import services as data
from pipelines.models import DatasetQuery
from pipelines.sources import bucket, services
from pipelines.sources.models import Source
from tests.pipelines.conftest import parquet

pytestmark = pytest.mark.django_db
API = "/api/v1/data-sources"
READS = "/api/v1/datasets/flights/queries"


def csv(frame) -> bytes:
    return frame.write_csv().encode()


def plain(*hours):
    return polars.DataFrame({"id": [f"f{hour}" for hour in hours], "hour": hours, "temp": [1.5] * len(hours)})


@pytest.fixture
def lake(seaweedfs, settings, tmp_path):
    """``lake.put("2013/a.csv", bytes)`` in a real bucket, beneath a prefix of this test's own."""
    settings.S3_SOURCE_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.DATASETS_S3_KEYS = {"lake": f"{seaweedfs.access_key}:{seaweedfs.secret_key}"}
    settings.DATASETS_SQL_SOURCES = {"warehouse": "host=127.0.0.1 password=hidden-address"}
    return Lake(seaweedfs, f"lake-{tmp_path.name}")


class Lake:
    def __init__(self, server, prefix):
        self.server, self.prefix, self.client = server, prefix, server.client()

    def put(self, name, content):
        self.client.put_object(Bucket=self.server.bucket, Key=f"{self.prefix}/{name}", Body=content)

    def place(self, **more):
        return {
            "name": "lake",
            "kind": "s3",
            "endpoint": self.server.url,
            "bucket": self.server.bucket,
            "prefix": self.prefix,
            "credentials": "lake",
            **more,
        }


@pytest.fixture
def granted(lake, admin, actor, scientist):
    """The lake as a source that the scientist may use."""
    source = services.add_source(actor=actor(admin), **lake.place())
    services.grant_use(actor=actor(admin), source=source, account=scientist, reason="Flights.")
    return source


@pytest.fixture
def read(granted, scientist, actor, run_jobs):
    """``read(dataset, "2013/")``: the query after a worker has read it."""

    def do(dataset, prefix="", label=""):
        asked = data.request_query(
            actor=actor(scientist), dataset=dataset, source="lake", prefix=prefix, label=label
        )
        run_jobs()
        return DatasetQuery.objects.select_related("version").get(pk=asked.pk)

    return do


def post(client, address, body):
    return client.post(address, body, content_type="application/json")


def test_the_objects_beneath_a_prefix_become_one_version_in_key_order(
    lake, granted, make_dataset, scientist, token_client, client_for, run_jobs
):
    dataset, client = make_dataset(event_time_column="", key_columns=[]), token_client(scientist)
    lake.put("2013/b.csv", csv(plain(3, 4)))
    lake.put("2013/a.parquet", parquet(plain(1, 2)))
    lake.put("2013/_SUCCESS", b"")
    lake.put("2014/c.json", b"{}")
    body = {"source": "lake", "prefix": "2013/", "label": "2013"}
    answer = post(client, READS, body)
    assert answer.status_code == 202, answer.content
    run_jobs()
    version = dataset.versions.get()
    assert (version.status, version.rows, version.label) == ("ready", 4, "2013"), version.failure
    assert version.source_name == "lake: 2013/"
    with store().open(version.digest) as file:
        kept = pq.read_table(file)
    assert kept["id"].to_pylist() == ["f1", "f2", "f3", "f4"]
    said = json.loads(kept.schema.metadata[b"controlplane.objects"])
    assert [each["name"] for each in said] == ["2013/a.parquet", "2013/b.csv"]
    told = client.get(READS).json()["items"][0]
    assert (told["kind"], told["prefix"], told["query"], told["version"]) == ("s3", "2013/", None, 1)
    assert [each["sha256"] for each in told["objects"]] == [each["sha256"] for each in said]
    assert b"2 objects" in client_for(scientist).get("/data/flights/add/").content


def test_the_same_names_and_bytes_are_the_version_they_are_and_another_name_is_another(
    lake, read, make_dataset
):
    dataset = make_dataset(event_time_column="", key_columns=[])
    lake.put("a/one.csv", csv(plain(1)))
    first = read(dataset, "a/").version
    lake.put("a/one.csv", csv(plain(1)))
    assert read(dataset, "a/").version == first
    lake.put("b/two.csv", csv(plain(1)))
    renamed = read(dataset, "b/").version
    assert renamed != first and renamed.digest != first.digest


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ({"a.csv": csv(plain(1)), "b.csv": csv(plain(2).drop("temp"))}, "b.csv: The column temp of x/a.csv is missing here"),
        ({"a.csv": csv(plain(1)), "b.csv": b"id,hour,temp\nx,late,1.5\n"}, "b.csv: The column hour is string here and integer in x/a.csv"),
        ({"a.csv": csv(plain(1)), "b.csv": b"id,hour,temp,gate\nx,1,1.5,C4\n"}, "b.csv: The column gate is not in x/a.csv"),
        ({"a.csv": csv(plain(1)), "b.parquet": b"PAR1 and then nothing"}, "b.parquet: The file is not readable as Parquet"),
        ({"a.csv": csv(plain(1)), "notes.txt": b"x"}, "notes.txt is neither Parquet nor CSV"),
        ({}, "no object beneath this prefix"),
    ],
    ids=["column-missing", "other-type", "column-more", "unreadable", "other-format", "empty"],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_the_objects_name(lake, read, make_dataset, objects, said):
    dataset = make_dataset(event_time_column="", key_columns=[])
    for name, content in objects.items():
        lake.put(f"x/{name}", content)
    query = read(dataset, "x/")
    assert query.status == "failed" and said in query.failure, query.failure
    assert not dataset.versions.exists()


@pytest.mark.parametrize("change", ["rewritten", "added", "removed"])
def test_objects_that_change_while_they_are_read_are_refused(lake, read, make_dataset, monkeypatch, change):
    dataset = make_dataset(event_time_column="", key_columns=[])
    for name in ("a.csv", "b.csv"):
        lake.put(f"x/{name}", csv(plain(1)))
    fetch = bucket.Prefix.fetch

    def interrupted(self, found, path, watch):
        """Somebody writes between the first object and the next."""
        done = fetch(self, found, path, watch)
        if found.name.endswith("a.csv"):
            if change == "rewritten":
                lake.put("x/b.csv", csv(plain(7)))
            elif change == "added":
                lake.put("x/c.csv", csv(plain(8)))
            else:
                lake.client.delete_object(Bucket=lake.server.bucket, Key=f"{lake.prefix}/x/b.csv")
        return done

    monkeypatch.setattr(bucket.Prefix, "fetch", interrupted)
    query = read(dataset, "x/")
    assert query.status == "failed" and ("while" in query.failure), query.failure
    assert ("c.csv" if change == "added" else "b.csv") in query.failure
    assert not dataset.versions.exists()


def test_an_object_rewritten_in_the_middle_of_its_own_reading_is_refused(lake, granted, tmp_path):
    lake.put("x/big.csv", b"id,hour,temp\n" + b"a,1,1.5\n" * 500_000)
    place = bucket.Prefix(granted, "x/")
    found = place.listed()[0]
    calls = iter([lambda: lake.put("x/big.csv", csv(plain(1)))])

    def watch():
        next(calls, lambda: None)()
        reader_of_the_moment[0]._drop()  # the server cuts the connection

    reader_of_the_moment = []
    original = bucket.S3Reader

    def remembered(*args, **kwargs):
        reader_of_the_moment[:] = [original(*args, **kwargs)]
        return reader_of_the_moment[0]

    bucket.S3Reader = remembered
    try:
        with pytest.raises(DomainError, match=r"x/big\.csv changed while it was read"):
            place.fetch(found, tmp_path / "big", watch)
    finally:
        bucket.S3Reader = original


def test_more_bytes_than_an_upload_may_have_are_not_even_fetched(lake, read, make_dataset, settings):
    lake.put("x/a.csv", csv(plain(*range(100))))
    settings.DATASETS_LARGEST_UPLOAD_BYTES = 500
    assert "at most 500 are read" in read(make_dataset(event_time_column="", key_columns=[]), "x/").failure


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"endpoint": "https://evil.example.org"}, "endpoint"),
        ({"endpoint": "http://169.254.169.254"}, "endpoint"),
        ({"endpoint": "http://127.0.0.1:9@evil.example.org"}, "endpoint"),
        ({"endpoint": "http://127.0.0.1/path"}, "endpoint"),
        ({"endpoint": "ftp://127.0.0.1"}, "endpoint"),
        ({"endpoint": ""}, "endpoint"),
        ({"bucket": "../x"}, "bucket"),
        ({"bucket": "arn:aws:s3:::x"}, "bucket"),
        ({"region": "us-east-1.evil.org/"}, "region"),
        ({"prefix": "../other"}, "prefix"),
        ({"prefix": "a\x00b"}, "prefix"),
        ({"credentials": "nobody"}, "credentials"),
        ({"name": "a b"}, "name"),
        ({"kind": "ftp"}, "kind"),
        ({"kind": "sql"}, "endpoint"),
    ],
)
def test_only_named_hosts_and_keys_make_a_source(lake, admin, token_client, wrong, field):
    answer = post(token_client(admin), API, lake.place(**wrong))
    assert answer.status_code == 400 and field in answer.content.decode(), answer.content
    assert not Source.objects.exists()


def test_a_host_that_is_no_longer_named_and_keys_that_went_end_the_reading(
    lake, read, make_dataset, settings
):
    dataset = make_dataset(event_time_column="", key_columns=[])
    lake.put("x/a.csv", csv(plain(1)))
    settings.DATASETS_S3_KEYS = {}
    assert "keys of lake are no longer configured" in read(dataset, "x/").failure
    settings.S3_SOURCE_ALLOWED_HOSTS = ["s3.example.org"]
    assert "no longer in S3_SOURCE_ALLOWED_HOSTS" in read(dataset, "x/").failure


def test_wrong_keys_and_a_server_that_is_away_say_nothing_of_address_or_keys(
    lake, read, make_dataset, settings, granted, scientist, client_for, admin
):
    dataset = make_dataset(event_time_column="", key_columns=[])
    lake.put("x/a.csv", csv(plain(1)))
    settings.DATASETS_S3_KEYS = {"lake": "someone:hidden-secret"}
    assert "The source lake answered " in read(dataset, "x/").failure
    Source.objects.filter(pk=granted.pk).update(endpoint="http://127.0.0.1:9")
    assert read(dataset, "x/").failure == "The source lake could not be reached."
    shown = client_for(admin).get("/admin/sources/lake/").content.decode()
    shown += client_for(admin).get("/admin/sources/").content.decode()
    shown += client_for(scientist).get("/data/flights/add/").content.decode()
    told = json.dumps([each.fields for each in Event.objects.all()]) + shown
    for secret in ("hidden-secret", "hidden-address", lake.server.secret_key):
        assert secret not in told


def test_a_source_is_unknown_to_whom_it_was_not_granted(
    lake, granted, make_dataset, make_account, stranger, reviewer, token_client, client_for, actor
):
    other = make_account("other", "data-scientist")
    dataset = make_dataset("others", by=other)
    for nobody in (stranger, other, reviewer):
        client = token_client(nobody)
        assert client.get(API).json()["items"] == []
        for address in (f"{API}/lake", f"{API}/lake/grants"):
            assert client.get(address).status_code == 404
        browser = client_for(nobody)
        assert browser.get("/admin/sources/").status_code == 404
        assert browser.get("/admin/sources/lake/").status_code == 404
    said = []
    for name in ("lake", "no-such-source"):
        with pytest.raises(Invalid) as refused:
            data.request_query(actor=actor(other), dataset=dataset, source=name)
        said.append(str(refused.value))
    assert said == ["source must be one of: none was granted to you."] * 2
    assert b"lake" not in client_for(other).get("/data/others/add/").content


def test_whoever_may_use_a_source_learns_its_name_and_not_its_place(
    lake, granted, scientist, token_client, auditor
):
    told = token_client(scientist).get(API).json()["items"]
    assert [(each["name"], each["endpoint"], each["bucket"], each["credentials"]) for each in told] == [
        ("lake", "", "", "")
    ]
    assert token_client(scientist).get(f"{API}/lake/grants").status_code == 403
    assert token_client(auditor).get(f"{API}/lake").json()["bucket"] == lake.server.bucket


def test_a_grant_to_a_group_counts_ends_and_is_checked_again_when_the_worker_reads(
    lake, admin, actor, scientist, make_dataset, token_client, run_jobs
):
    from django.contrib.auth.models import Group

    client, dataset = token_client(admin), make_dataset(event_time_column="", key_columns=[])
    lake.put("x/a.csv", csv(plain(1)))
    assert post(client, API, lake.place()).status_code == 201
    scientist.groups.add(Group.objects.create(name="planners"))
    assert post(client, f"{API}/lake/grants", {"reason": "x"}).status_code == 400
    both = {"group": "planners", "account": "scientist", "reason": "x"}
    assert post(client, f"{API}/lake/grants", both).status_code == 400
    given = post(client, f"{API}/lake/grants", {"group": "planners", "reason": "Planning."})
    assert given.status_code == 201 and given.json()["group"] == "planners"
    mine = token_client(scientist)
    assert post(mine, READS, {"source": "lake", "prefix": "x/"}).status_code == 202
    gone = post(client, f"{API}/lake/grants/revoke", {"group": "planners", "reason": "Moved on."})
    assert gone.status_code == 204
    run_jobs()
    assert "no longer there for whoever asked" in DatasetQuery.objects.get().failure
    assert not dataset.versions.exists()
    assert post(mine, READS, {"source": "lake"}).status_code == 400
    again = post(client, f"{API}/lake/grants/revoke", {"group": "planners", "reason": "x"})
    assert again.status_code == 404
    actions = [each.fields["action"] for each in Event.objects.order_by("pk")]
    assert {"pipelines.source_added", "pipelines.source_granted", "pipelines.source_revoked"} <= set(actions)


def test_only_administrators_name_grant_and_remove(lake, granted, scientist, actor, token_client, admin):
    mine = actor(scientist)
    with pytest.raises(NotAllowed):
        services.add_source(actor=mine, name="warehouse", kind="sql")
    with pytest.raises(NotAllowed):
        services.grant_use(actor=mine, source=granted, account=scientist, reason="x")
    with pytest.raises(NotAllowed):
        services.remove_source(actor=mine, source=granted, reason="x")
    denied = Event.objects.filter(fields__outcome="denied")
    assert denied.filter(fields__action="pipelines.remove_source").exists()
    client = token_client(admin)
    assert post(client, f"{API}/lake/remove", {"reason": "Moved."}).status_code == 204
    assert token_client(scientist).get(f"{API}/lake").status_code == 404


def test_the_wrong_word_for_a_kind_of_source_is_said(lake, granted, admin, scientist, actor, make_dataset):
    dataset = make_dataset()
    source = services.add_source(actor=actor(admin), name="warehouse", kind="sql")
    services.grant_use(actor=actor(admin), source=source, account=scientist, reason="Flights.")
    for asked, field in (
        ({"source": "lake", "query": "select 1"}, "query"),
        ({"source": "lake", "prefix": "/etc"}, "prefix"),
        ({"source": "lake", "prefix": "a/../../b"}, "prefix"),
        ({"source": "warehouse", "prefix": "x"}, "prefix"),
        ({"source": "warehouse"}, "query"),
    ):
        with pytest.raises(Invalid) as refused:
            data.request_query(actor=actor(scientist), dataset=dataset, **asked)
        assert refused.value.field == field
    assert not DatasetQuery.objects.exists()


def test_pages_name_grant_revoke_and_remove(lake, admin, scientist, client_for):
    browser = client_for(admin)
    assert b"No source of data is named" in browser.get("/admin/sources/").content
    place = {f"s3-{name}": value for name, value in lake.place().items()}
    wrong = {**place, "s3-region": "us-east-1", "s3-addressing": "path", "s3-endpoint": "https://x.org"}
    refused = browser.post("/admin/sources/?kind=s3", wrong)
    assert refused.status_code == 422 and b"S3_SOURCE_ALLOWED_HOSTS" in refused.content
    made = browser.post("/admin/sources/?kind=s3", {**wrong, "s3-endpoint": lake.server.url})
    assert made.status_code == 302 and made["Location"] == "/admin/sources/lake/"
    assert browser.post("/admin/sources/?kind=sql", {"sql-name": "warehouse"}).status_code == 302
    granted = browser.post("/admin/sources/lake/", {"account": "scientist", "reason": "Flights."})
    assert granted.status_code == 302
    assert browser.post("/admin/sources/lake/", {"account": "nobody", "reason": "x"}).status_code == 422
    assert b"Who may read from lake" in browser.get("/admin/sources/lake/").content
    page = client_for(scientist).get("/data/").status_code
    assert page == 200 and Source.objects.granted_to(_actor(scientist)).count() == 1
    browser.post("/admin/sources/lake/revoke/", {"account": "scientist", "reason": "Moved on."})
    assert not Source.objects.granted_to(_actor(scientist)).exists()
    browser.post("/admin/sources/lake/remove/", {"reason": "Gone."})
    assert [each.name for each in Source.objects.all()] == ["warehouse"]


def _actor(account):
    from accounts.actors import actor_for

    return actor_for(account)


def test_lists_ask_the_same_queries_for_one_source_and_twelve(lake, admin, actor, token_client, client_for):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, browser, counts = token_client(admin), client_for(admin), []
    for first, last in ((0, 1), (1, 12)):
        for number in range(first, last):
            services.add_source(actor=actor(admin), **lake.place(name=f"lake{number}"))
        for get, address in ((client.get, API), (browser.get, "/admin/sources/")):
            get(address)
            with CaptureQueriesContext(connection) as asked:
                assert get(address).status_code == 200
            counts.append(len(asked))
    assert counts[:2] == counts[2:]
