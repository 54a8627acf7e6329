"""Whatever is sent to the tracking calls: an answer in MLflow's form, no failure, no database's words."""

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from controlplane.edge.upstream_errors import in_our_words
from tests.mlflow_api.test_agreement_with_mlflow import peer  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)

API = "/api/2.0/mlflow/"
WORDS_OF_DATABASE = ("SQL", "psycopg", "sqlalchemy", "Sql", "Traceback", "INSERT", "mlflow.experiments")


@pytest.fixture
def call(ask, token, scientist):
    """``call("runs/create", {…})``: status and body, checked to be in MLflow's form."""
    secret = token(scientist)

    def send(path, body=None, method="POST", version="2.0"):
        kind = {"Content_Type": "application/json"} if method != "GET" else {}
        status, headers, answer = ask(
            method, f"/api/{version}/mlflow/{path}", body, Authorization=f"Bearer {secret}", **kind
        )
        assert headers["content-type"].startswith("application/json"), (path, body, answer)
        said = json.loads(answer)
        if status != 200:
            assert {"error_code", "message"} <= said.keys()
            assert not [word for word in WORDS_OF_DATABASE if word in said["message"]], said
        return status, said

    return send


@pytest.fixture
def run_id(call):
    return call("runs/create", {"experiment_id": "0", "start_time": 1})[1]["run"]["info"]["run_id"]


def test_digits_of_other_scripts_are_no_experiment_id(call):
    for digits in ("\uff11", "\u0661", "\u0967", "1\n"):
        status, said = call(f"experiments/get?experiment_id={quote(digits)}", method="GET")
        assert (status, said["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert call("runs/create", {"experiment_id": digits})[0] == 400


def test_one_name_asked_for_at_once_is_given_once(call):
    with ThreadPoolExecutor(10) as people:
        said = list(people.map(lambda _: call("experiments/create", {"name": "raced"}), range(10)))
    assert sorted(status for status, _ in said) == [200] + [400] * 9
    assert {body["error_code"] for status, body in said if status == 400} == {"RESOURCE_ALREADY_EXISTS"}


def test_an_output_given_twice_exists_already(call, run_id):
    made = call("logged-models", {"experiment_id": "0", "name": "m", "source_run_id": run_id})[1]
    model_id = made["model"]["info"]["model_id"]
    body = {"run_id": run_id, "models": [{"model_id": model_id, "step": 1}]}
    assert call("runs/outputs", body)[0] == 200
    status, said = call("runs/outputs", body)
    assert (status, said["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    assert "request" in said["message"]


def test_what_is_created_says_in_which_experiment(call, run_id):
    for path, body in (
        ("runs/create", {"run_ids": [run_id]}),
        ("runs/create", {"run_id": run_id}),
        ("runs/create", {"experiment_id": "", "run_id": run_id}),
        ("logged-models", {"name": "m", "source_run_id": run_id}),
    ):
        status, said = call(path, body)
        assert status == 400
        assert "experiment_id" in said["message"]


ODD_SEARCHES = [
    {"filter": "experiment_id = '0'"}, {"filter": "NAME = 'a'"}, {"filter": "status = 'READY'"}, {"filter": "metadata = 'a'"}, {"filter": "attributes.tags = 'a'"}, {"filter": "query = 'x'"},
    {"filter": "metrics.a = 'b'"}, {"filter": "metrics.a > ''"}, {"filter": "creation_timestamp > 'x'"}, {"filter": "name IN (a)"}, {"filter": "name IN ("}, {"filter": "name IN (1, 2)"},
    {"filter": "metrics.a = 99999999999999999999999999"}, {"filter": "creation_timestamp > 1e300"}, {"filter": "((("}, {"filter": "name"}, {"filter": []}, {"filter": {}},
    {"order_by": [{"field_name": "metadata"}]}, {"order_by": [{"field_name": "experiment"}]}, {"order_by": [{"field_name": "registry"}]}, {"order_by": [{"field_name": ""}]}, {"order_by": ["name"]}, {"order_by": "name"}, {"order_by": [{}]},
    {"order_by": [{"field_name": []}]}, {"max_results": -1}, {"max_results": [[]]}, {"page_token": "x"}, {"page_token": {}}, {"datasets": [{}]}, {"datasets": [[]]}, {"datasets": {}}, {"experiment_ids": [["0"]]},
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_SEARCHES, ids=str)
def test_odd_searches_of_logged_models_name_what_is_allowed(call, odd):
    status, said = call("logged-models/search", {"experiment_ids": ["0"], **odd})
    assert status in {200, 400}, said
    if "filter" in odd and isinstance(odd["filter"], str) and status == 400:
        assert (
            "filter" in said["message"].lower()
            or "comparison" in said["message"]
            or "call" in said["message"]
        )
    if odd.get("filter") == "NAME = 'a'":
        assert "source_run_id" in said["message"]


def test_plain_searches_of_logged_models_still_find(call):
    call("logged-models", {"experiment_id": "0", "name": "found", "tags": [{"key": "a", "value": "b"}]})
    for condition in ("name = 'found'", "tags.a = 'b' AND creation_timestamp > 1", "name LIKE 'fou%'"):
        for order in (
            [],
            [{"field_name": "creation_time", "ascending": False}],
            [{"field_name": "metrics.m"}],
        ):
            body = {"experiment_ids": ["0"], "filter": condition, "order_by": order}
            status, said = call("logged-models/search", body)
            assert (status, len(said.get("models", []))) == (200, 1), said


ODD_VALUES = ([[]], {}, [{}], [[[]]], {"a": []}, "x", "", True, -1, 2**62, 1.5, "\uff11")
FIELDS = {
    "runs/log-metric": ("timestamp", "step", "value", "key", "run_id", "dataset_name"),
    "runs/create": ("start_time", "run_name", "user_id", "tags", "experiment_id"),
    "runs/update": ("status", "end_time", "run_name"),
    "runs/log-batch": ("tags", "metrics", "params"),
    "runs/log-inputs": ("datasets", "models"),
    "runs/outputs": ("models",),
    "runs/set-tag": ("key", "value"),
    "runs/search": ("experiment_ids", "filter", "run_view_type", "max_results", "order_by", "page_token"),
    "experiments/create": ("name", "tags"),
    "experiments/search": ("view_type", "max_results", "order_by", "filter", "page_token"),
    "logged-models": ("name", "model_type", "source_run_id", "params", "tags"),
}


@pytest.mark.parametrize("path", FIELDS)
def test_values_of_odd_kinds_are_refused(call, run_id, path):
    base = {"experiment_ids": ["0"], "max_results": 5} if path.endswith("/search") else {"run_id": run_id}
    base = {"experiment_id": "0"} if path in {"runs/create", "logged-models", "experiments/create"} else base
    base |= {"key": "k", "value": 1, "timestamp": 1} if path == "runs/log-metric" else {}
    for field in FIELDS[path]:
        for odd in ODD_VALUES:
            status, said = call(path, {**base, field: odd})
            assert status in {200, 400, 404}, (field, odd, status, said)
            if isinstance(odd, list | dict) and field in {"timestamp", "start_time", "view_type"}:
                assert status == 400
                assert field in said["message"]


def test_odd_traces_are_refused(call):
    place = {"trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}}
    about = {"trace_id": "tr-1", "request_time": "2026-01-01T00:00:00Z", "state": "OK", **place}
    for field in ("request_time", "state", "execution_duration", "tags", "trace_metadata", "assessments"):
        for odd in ODD_VALUES:
            body = {"trace": {"trace_info": {**about, field: odd}}}
            status, said = call("traces", body, version="3.0")
            assert status in {200, 400, 404}, (field, odd, said)
    for field in ("locations", "filter", "order_by", "max_results", "page_token"):
        for odd in ODD_VALUES:
            status, said = call("traces/search", {field: odd}, version="3.0")
            assert status in {200, 400, 404}, (field, odd, said)


def test_a_search_without_words_is_answered_as_mlflows_own_server_does(call, peer):
    for body in ({}, {"max_results": 3}, {"max_results": 0}):
        assert call("experiments/search", body)[0] == peer.call("POST", f"{API}experiments/search", body)[0]


def test_a_file_that_cannot_stand_where_it_is_sent_is_a_refusal(call, run_id, ask, token, scientist):
    home, secret = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts", f"Bearer {token(scientist)}"
    assert ask("PUT", f"{home}/m/w.bin", b"x", Authorization=secret)[0] == 200
    for path in ("m", "m/", "m/w.bin/deeper", "m/" + "a" * 300):
        status, _, answer = ask("PUT", f"{home}/{path}", b"x", Authorization=secret)
        assert status == 400, (path, answer)
        assert json.loads(answer)["error_code"], path
    assert ask("GET", f"{home}/m/w.bin", Authorization=secret)[2] == b"x"
    assert call(f"artifacts/list?run_id={run_id}&path={'a' * 5000}", method="GET")[0] == 400
    for odd in ("1", "NaN", "[]", '"x"', "null", "{}"):
        assert call("runs/log-model", {"run_id": run_id, "model_json": odd})[0] == 400, odd


def test_a_run_notes_what_a_client_before_3_logged(call, run_id):
    """With its signature, whose reading once failed and cost such clients a minute of trying again."""
    said = {
        "artifact_path": "model", "run_id": run_id, "utc_time_created": "2026-11-23 07:00:00.000000",
        "flavors": {"python_function": {"loader_module": "mlflow.sklearn"}}, "model_uuid": "a" * 32,
        "signature": {"inputs": '[{"type": "double", "name": "temp"}]', "outputs": None, "params": None},
    }  # fmt: skip
    assert call("runs/log-model", {"run_id": run_id, "model_json": json.dumps(said)})[0] == 200
    run = call(f"runs/get?run_id={run_id}", method="GET")[1]["run"]
    tags = {each["key"]: each["value"] for each in run["data"]["tags"]}
    [noted] = json.loads(tags["mlflow.log-model.history"])
    assert (noted["artifact_path"], noted["flavors"]) == ("model", said["flavors"])


class Asked:
    scope = {"path": "/api/2.0/mlflow/runs/create"}
    request_id = "of-this-request"


def test_the_log_knows_the_statement_and_no_value(caplog):
    message = (
        "(psycopg.errors.UniqueViolation) duplicate key value violates unique constraint\n"
        "DETAIL:  Key (name)=(secret) already exists.\n"
        "[SQL: INSERT INTO experiments (name) VALUES (%(name)s)]\n[parameters: {'name': 'secret'}]"
    )
    body = json.dumps({"error_code": "BAD_REQUEST", "message": message}).encode()
    refused = in_our_words(Asked(), 400, body)
    assert (refused.status, refused.code) == (400, "RESOURCE_ALREADY_EXISTS")
    assert "UniqueViolation INSERT INTO experiments" in caplog.text
    assert "of-this-request" in caplog.text
    assert "secret" not in caplog.text
    assert in_our_words(Asked(), 500, b"<html>").status == 500
    deadlock = json.dumps({"error_code": "X", "message": "(psycopg.errors.DeadlockDetected) x [SQL: y]"})
    assert in_our_words(Asked(), 500, deadlock.encode()).status == 503
    own = json.dumps({"error_code": "INVALID_PARAMETER_VALUE", "message": "value='psycopg'"}).encode()
    assert in_our_words(Asked(), 400, own) is None
