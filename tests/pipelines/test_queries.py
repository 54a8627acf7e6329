"""Data from a configured database: by name only, read-only, one statement, in limited time."""

import pyarrow.parquet as pq
import pytest
from django.conf import settings as live
from django.core.files.uploadedfile import SimpleUploadedFile

from audit.models import Event
from core.errors import Invalid, NotAllowed
from pipelines import services
from pipelines.compute.querying import Unqueryable, write_query
from pipelines.models import DatasetQuery
from pipelines.sources import services as sources
from tests.pipelines.conftest import parquet, table

pytestmark = pytest.mark.django_db
API = "/api/v1/datasets/flights/queries"
ROWS = "SELECT 'f' || n AS id, n % 24 AS hour, n / 2.0 AS temp, timestamptz '2013-01-01 10:00Z' + n * interval '1 minute' AS at FROM generate_series(1, 500) AS n"


@pytest.fixture
def warehouse(settings, test_database, admin, actor, scientist):
    """The test database itself as the scientist's source: a real server that would let cp_app write."""
    about = live.DATABASES["default"]
    address = f"host={about['HOST']} port={about['PORT']} user={about['USER']} password={about['PASSWORD']} dbname={test_database.name}"
    settings.DATASETS_SQL_SOURCES = {"warehouse": address}
    source = sources.add_source(actor=actor(admin), name="warehouse", kind="sql")
    sources.grant_use(actor=actor(admin), source=source, account=scientist, reason="Flights.")
    return address


def written(address, query, path, **more):
    limits = {"timeout_seconds": 20, "most_rows": 1000, "most_bytes": 1 << 20, "watch": lambda: None}
    return write_query(address, query, path / "rows.parquet", **{**limits, **more})


def test_a_querys_rows_become_a_version_and_the_same_rows_are_the_same_version(
    warehouse, make_dataset, scientist, token_client, client_for, run_jobs
):
    dataset = make_dataset()
    client = token_client(scientist)
    body = {"source": "Warehouse", "query": ROWS, "label": "2013-01"}
    answer = client.post(API, body, content_type="application/json")
    assert answer.status_code == 202, answer.content
    run_jobs()
    version = dataset.versions.get()
    assert (version.status, version.rows, version.label) == ("ready", 500, "2013-01"), version.failure
    assert [each["type"] for each in version.schema] == ["string", "integer", "number", "datetime"]
    assert version.source_name == "query of warehouse"
    client.post(API, body, content_type="application/json")
    run_jobs()
    assert dataset.versions.count() == 1
    told = client.get(API).json()["items"]
    assert [(each["status"], each["version"]) for each in told] == [("succeeded", 1)] * 2
    page = client_for(scientist).get("/data/flights/add/").content.decode()
    assert "n % 24 AS hour" in page and "warehouse" in page
    assert live.DATABASES["default"]["PASSWORD"] not in page
    event = Event.objects.filter(fields__action="pipelines.query_requested").first().fields
    assert event["after"]["query"] == ROWS


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select 1 as a; drop table pipelines_dataset", "refuses the query"),
        (
            "with gone as (delete from pipelines_dataset returning 1) select * from gone",
            "read-only transaction",
        ),
        ("select nextval('django_migrations_id_seq')", "read-only transaction"),
        ("select pg_sleep(5)", "took too long"),
        ("select * from no_such_table", "no_such_table"),
        ("select 1 as a, 2 as a", "names a column twice"),
        ("select 1 as a where false", "gives no rows"),
        ("select * from generate_series(1, 2000)", "more than 1,000 rows"),
        ("select '%s' as a, 5 % 3 as b where '50%' like '%'", ""),
    ],
)
def test_a_query_can_only_read(warehouse, tmp_path, query, said):
    timeout = 1 if "sleep" in query else 20
    if not said:
        assert written(warehouse, query, tmp_path) == 1
        assert pq.read_table(tmp_path / "rows.parquet").to_pylist() == [{"a": "%s", "b": 2}]
        return
    with pytest.raises(Unqueryable, match=said):
        written(warehouse, query, tmp_path, timeout_seconds=timeout)


def test_an_unreachable_source_says_nothing_of_its_address(tmp_path):
    with pytest.raises(Unqueryable) as refused:
        written("host=127.0.0.1 port=1 user=u password=hidden dbname=d", "select 1", tmp_path)
    assert str(refused.value) == "The source could not be reached."


def test_only_configured_names_and_reads_are_taken_and_a_failure_is_told(
    warehouse, make_dataset, scientist, actor, token_client, client_for, run_jobs
):
    dataset, client = make_dataset(), token_client(scientist)
    for body, field in (
        ({"source": "postgresql://evil/", "query": "select 1"}, "source"),
        ({"source": "other", "query": "select 1"}, "source"),
        ({"source": "warehouse", "query": "delete from x"}, "query"),
        ({"source": "warehouse", "query": "  "}, "query"),
        ({"source": "warehouse"}, "query"),
    ):
        answer = client.post(API, body, content_type="application/json")
        assert answer.status_code == 400 and field in answer.content.decode(), body
    with pytest.raises(Invalid):
        services.request_query(actor=actor(scientist), dataset=dataset, source="warehouse", query="vacuum")
    assert not DatasetQuery.objects.exists()
    browser = client_for(scientist)
    sent = {"q-source": "warehouse", "q-query": "select * from nowhere", "q-label": ""}
    assert browser.post("/data/flights/add/?query", {**sent, "q-source": "x"}).status_code == 422
    assert browser.post("/data/flights/add/?query", {**sent, "q-query": "vacuum"}).status_code == 422
    assert browser.post("/data/flights/add/?query", sent).status_code == 302
    run_jobs()
    assert 'relation "nowhere" does not exist' in DatasetQuery.objects.get().failure
    assert b"nowhere" in browser.get("/data/flights/add/").content
    assert not dataset.versions.exists()


def test_a_file_is_registered_on_the_page(make_dataset, scientist, client_for, run_jobs):
    dataset, client = make_dataset(), client_for(scientist)
    assert b"No database is granted to you" in client.get("/data/flights/add/").content
    empty = client.post("/data/flights/add/", {"file": SimpleUploadedFile("t.csv", b"")})
    assert empty.status_code == 422 and b"The file is empty" in empty.content
    file = SimpleUploadedFile("january.parquet", parquet(table()))
    assert client.post("/data/flights/add/", {"file": file, "label": "2013-01"}).status_code == 302
    run_jobs()
    assert (dataset.versions.get().status, dataset.versions.get().source_name) == ("ready", "january.parquet")


def test_nobody_reads_into_what_is_not_theirs(
    warehouse, make_dataset, stranger, make_account, reviewer, client_for, actor
):
    dataset = make_dataset()
    for nobody in (stranger, make_account("other", "data-scientist")):
        client = client_for(nobody)
        assert client.get(API).status_code == client.get("/data/flights/add/").status_code == 404
        body = {"source": "warehouse", "query": "select 1"}
        assert client.post(API, body, content_type="application/json").status_code == 404
    assert client_for(reviewer).get("/data/flights/add/").status_code == 403
    with pytest.raises(NotAllowed):
        services.request_query(actor=actor(reviewer), dataset=dataset, source="warehouse", query="select 1")
    assert Event.objects.filter(fields__action="pipelines.request_query", fields__outcome="denied").exists()
