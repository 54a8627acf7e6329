"""Pages and REST of data and pipelines; a stranger finds nothing behind any of them."""

import html

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pipelines import services
from tests.pipelines.conftest import CONTRACT, parquet, table

pytestmark = pytest.mark.django_db
API = "/api/v1"


def test_a_machine_registers_checks_and_reads_back_what_it_sent(scientist, token_client, run_jobs):
    client = token_client(scientist)
    about = {"name": "flights", "event_time_column": "at", "key_columns": ["id"]}
    assert client.post(f"{API}/datasets", about, content_type="application/json").status_code == 201
    answer = client.put(
        f"{API}/datasets/flights/contract", {"document": CONTRACT}, content_type="application/json"
    )
    assert answer.status_code == 201, answer.content
    sent = parquet(table())
    file = SimpleUploadedFile("table.parquet", sent)
    answer = client.post(f"{API}/datasets/flights/versions", {"file": file, "label": "2013-01"})
    assert answer.status_code == 202, answer.content
    assert answer["Location"].startswith(f"{API}/jobs/")
    run_jobs()
    version = client.get(f"{API}/datasets/flights/versions/1").json()
    assert (version["status"], version["rows"], version["check"]["status"]) == ("ready", 4, "passed")
    content = client.get(f"{API}/datasets/flights/versions/1/content")
    assert b"".join(content.streaming_content) == sent
    assert client.get(f"{API}/datasets/flights/checks").json()["items"][0]["version"] == 1
    page = client.put(
        f"{API}/datasets/flights/contract", {"document": CONTRACT}, content_type="application/json"
    )
    assert page.status_code == 428


def test_bad_input_is_a_problem_that_names_the_field(scientist, token_client, make_dataset):
    make_dataset()
    client = token_client(scientist)
    json = {"content_type": "application/json"}
    for method, path, body, status in (
        ("post", "datasets", {"name": "a/b"}, 400),
        ("post", "datasets", {"name": "\ud800"}, 400),
        ("post", "pipelines/flights-ingest/runs", {"parameters": {"months": [13]}}, 400),
        ("post", "pipelines/flights-training/runs", {"parameters": {"versions": ["no"]}}, 400),
        ("post", "pipelines/flights-training/runs", {"parameters": {"versions": ["1"], "seed": 1.5}}, 400),
        ("put", "datasets/flights/contract", {"document": {"schema": "x"}}, 400),
        ("post", "datasets/flights/checks", {"version": 99}, 404),
    ):
        answer = getattr(client, method)(f"{API}/{path}", body, **json)
        assert answer.status_code == status, (path, answer.content)
        assert answer.json()["detail"]


def test_pages_show_versions_columns_and_the_rule_that_fails(
    scientist, actor, client_for, make_dataset, add_version, ingest
):
    dataset = make_dataset()
    services.set_contract(actor=actor(scientist), dataset=dataset, document=CONTRACT)
    add_version(dataset, parquet(table(hour=[5, 6, 7, 99])), label="2013-01")
    run = services.start_run(actor=actor(scientist), pipeline=ingest, parameters={"months": [2]})
    client = client_for(scientist)
    assert b"flights" in client.get("/data/").content
    page = client.get("/data/flights/").content.decode()
    assert "hour goes from 5 to 99" in page
    assert "Nothing may be trained on this version" in page
    tag = '{"role": "training", "dataset": "flights", "version": 1}'
    assert "Name it in a run" in page
    assert tag in html.unescape(page)
    assert b"flights-ingest" in client.get("/pipelines/").content
    assert b"Waiting for a worker" in client.get(f"/pipelines/flights-ingest/runs/{run.pk}/").content


def test_a_file_that_could_not_be_read_does_not_hide_the_data(
    make_dataset, add_version, client_for, scientist
):
    dataset = make_dataset()
    client = client_for(scientist)
    add_version(dataset, b"import this\n", source_name="mk.py")
    only = client.get("/data/flights/").content.decode()
    assert "The file could not be read" in only
    assert "to never" not in only
    assert "0 B" not in only
    add_version(dataset)
    add_version(dataset, b"import that\n", source_name="mk.py")
    page = client.get("/data/flights/").content.decode()
    assert "<h1>flights v2</h1>" in page
    assert "<b>v3 could not be read</b>" in page
    assert "Download Parquet" in page
    asked = client.get("/data/flights/?version=3").content.decode()
    assert "<h1>flights v3</h1>" in asked
    assert "This page shows" not in asked


def test_a_stranger_finds_nothing(
    stranger, make_account, scientist, actor, client_for, make_dataset, add_version, ingest
):
    add_version(make_dataset())
    run = services.start_run(actor=actor(scientist), pipeline=ingest, parameters={"months": [2]})
    for nobody in (stranger, make_account("other", "data-scientist")):
        client = client_for(nobody)
        for path in (
            "/data/flights/",
            f"/pipelines/flights-ingest/runs/{run.pk}/",
            f"{API}/datasets/flights",
            f"{API}/datasets/flights/versions",
            f"{API}/datasets/flights/versions/1",
            f"{API}/datasets/flights/versions/1/content",
            f"{API}/datasets/flights/contract",
            f"{API}/datasets/flights/checks",
            f"{API}/pipelines/flights-ingest/runs/{run.pk}",
        ):
            assert client.get(path).status_code == 404, path
        assert client.get(f"{API}/datasets").json()["items"] == []
        assert b"row-link" not in client.get("/data/").content
