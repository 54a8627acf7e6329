"""Whatever is sent to the surface is answered with a documented code, in bounded time."""

import json
import threading
from contextlib import suppress

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.edge import calls
from controlplane.edge.answers import Refused
from mlflow_api.urls import DOORS
from tests.database import superuser
from tests.mlflow_api.conftest import API

DOCUMENTED = {
    "INVALID_PARAMETER_VALUE",
    "RESOURCE_ALREADY_EXISTS",
    "RESOURCE_DOES_NOT_EXIST",
    "RESOURCE_CONFLICT",
    "PERMISSION_DENIED",
}
ODD_TEXT = st.one_of(
    st.text(alphabet=st.characters(codec=None), max_size=30),
    st.sampled_from(["delays", "1", "", "\x00", "\ud800", "a" * 300, "models:/delays/1", "runs:/r1/../x", "champion", "Production", "99999999999999999999", "-1", "1e400", "'", "%", "name = '%'"]),
)  # fmt: skip
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), ODD_TEXT)
VALUES = st.recursive(
    SCALARS, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(ODD_TEXT, inside, max_size=3), max_leaves=6
)  # fmt: skip
FIELDS = st.sampled_from(
    ["name", "new_name", "version", "alias", "key", "value", "tags", "stage", "stages", "source", "run_id", "model_id", "description", "filter", "order_by", "max_results", "page_token", "archive_existing_versions", "run_link"]
)  # fmt: skip
SENT = st.dictionaries(FIELDS, VALUES, max_size=5).map(
    lambda sent: {"name": "delays", "version": "1", **sent}
)
METHODS = st.sampled_from(["GET", "POST", "PATCH", "DELETE"])
QUIETLY = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def client(token_client, make_model, make_row, scientist):
    make_row(make_model("delays"))
    return token_client(scientist)


@pytest.mark.django_db
@QUIETLY
@given(address=st.sampled_from(sorted(DOORS)), method=METHODS, sent=SENT)
def test_any_json_is_answered_with_a_documented_code(client, address, method, sent):
    with transaction.atomic():
        if method == "GET":
            with suppress(UnicodeEncodeError):
                flat = {
                    name: value if isinstance(value, str) else json.dumps(value)
                    for name, value in sent.items()
                }
                _check(client.get(f"{API}{address}", flat))
        else:
            body = json.dumps(sent)
            _check(client.generic(method, f"{API}{address}", body, content_type="application/json"))
        transaction.set_rollback(True)


@pytest.mark.django_db
@QUIETLY
@given(address=st.sampled_from(sorted(DOORS)), raw=st.one_of(st.binary(max_size=60), st.sampled_from([b"[" * 100_000, b'{"a":' * 50_000, b'{"name": 1, "name": 2}', b"NaN", b'"{}"', b"\xff\xfe{}"])))  # fmt: skip
def test_any_bytes_are_answered_with_a_documented_code(client, address, raw):
    with transaction.atomic():
        _check(client.generic("POST", f"{API}{address}", raw, content_type="application/json"))
        transaction.set_rollback(True)


def _check(answer):
    assert answer.status_code < 500, answer.content[:300]
    body = json.loads(answer.content)
    if answer.status_code >= 400:
        assert body["error_code"] in DOCUMENTED
        assert body["message"]


@given(st.one_of(st.binary(max_size=200), VALUES.map(lambda value: json.dumps(value).encode())))
def test_any_body_of_a_tracking_call_is_read_or_refused(raw):
    with suppress(Refused):
        body = calls.parsed(raw)
        calls.refuse_reserved(body)
        calls.named(body)
        calls.narrow(body, "somebody")
        assert body["filter"].startswith(f"tags.`{calls.OWNER}` = 'somebody'")


@pytest.mark.django_db(transaction=True)
def test_a_search_that_takes_too_long_is_ended_and_not_tried_again(
    surface, scientist, make_model, settings, test_database
):
    """Nothing else of the registry is slow enough for a test, so that a lock makes it wait."""
    make_model("delays")
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        before = cursor.fetchone()
    settings.REGISTRY_SEARCH_SECONDS = 0.2
    mine = surface(scientist)
    with superuser(test_database.name) as other, other.transaction():
        other.execute("LOCK TABLE registry_modelversion IN ACCESS EXCLUSIVE MODE")
        status, body = mine.get("model-versions/search", filter="source_path LIKE '%a%b%c%'")
    assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "took longer than 0.2 seconds" in body["message"]
    assert mine.get("model-versions/search")[0] == 200
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == before, "the limit outlived its search"


@pytest.mark.django_db(transaction=True)
def test_writers_of_one_tag_and_one_alias_get_no_undocumented_error(surface, scientist, make_model, make_row):
    model = make_model("delays")
    for _ in range(2):
        make_row(model)
    clients, answers = [surface(scientist) for _ in range(6)], []

    def write(client, index):
        for turn in range(4):
            answers.append(client.post("registered-models/set-tag", name="delays", key="k", value=f"{index}"))
            answers.append(
                client.post("registered-models/alias", name="delays", alias="best", version=str(1 + turn % 2))
            )
            answers.append(client.delete("registered-models/delete-tag", name="delays", key="k"))
            answers.append(client.delete("registered-models/alias", name="delays", alias="best"))
        connection.close()

    threads = [threading.Thread(target=write, args=each) for each in zip(clients, range(6), strict=True)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(answers) == 96
    assert {status for status, _ in answers} == {200}
