"""The same questions to MLflow's own server and to ours: same status and error code, where we mean to agree.

Where we do not, ``OURS_ON_PURPOSE`` says what each answers and why.
"""

import json
from urllib.parse import urlencode

import pytest

from controlplane.stack.places import free_port
from tests.mlflow_api.conftest import API
from tests.mlflow_api.peer import Peer

pytestmark = pytest.mark.django_db

RUN, SOURCE = "a run that each side has", "its artifacts"
LONG_KEY, LONG_VALUE = "k" * 251, "v" * 100_001
MODELS, VERSIONS = "registered-models", "model-versions"


@pytest.fixture(scope="session")
def peer(tmp_path_factory):
    running = Peer(free_port(), tmp_path_factory.mktemp("peer")).start()
    yield running
    running.stop()


class Side:
    """One of the two servers, with the same things in it."""

    def __init__(self, call):
        self.call = call

    def fill(self, run_id, source):
        """Two models, three versions, aliases, tags and stages."""
        self.run_id, self.source = run_id, source
        for name in ("delays", "other"):
            self.must("POST", f"{MODELS}/create", name=name, tags=[{"key": "team", "value": "ops"}])
        for _ in range(3):
            self.must("POST", f"{VERSIONS}/create", name="delays", source=source, run_id=run_id)
        self.must("POST", f"{MODELS}/alias", name="delays", alias="best", version="1")
        self.must("POST", f"{VERSIONS}/set-tag", name="delays", version="1", key="odd", value="yes")
        self.must("POST", f"{VERSIONS}/transition-stage", name="delays", version="2", stage="Staging")

    def must(self, method, address, **arguments):
        status, body = self.call(method, f"{API}{address}", arguments)
        assert status == 200, (address, body)
        return body


@pytest.fixture(scope="session")
def theirs(peer):
    side = Side(peer.call)
    run = side.must("POST", "runs/create", experiment_id="0")["run"]["info"]
    side.fill(run["run_id"], f"{run['artifact_uri']}/model")
    return side


@pytest.fixture
def ours(token_client, scientist, tracking):
    client = token_client(scientist)

    def call(method, path, arguments):
        if method == "GET":
            answer = client.get(f"{path}?{urlencode(arguments, doseq=True)}")
        else:
            answer = client.generic(method, path, json.dumps(arguments), content_type="application/json")
        return answer.status_code, json.loads(answer.content)

    side = Side(call)
    side.fill("r1", tracking.add_run("r1"))
    return side


# Address, method, what is sent. Both servers hold what ``fill`` made; no question may change it.
QUESTIONS = [
    *[(f"{MODELS}/create", "POST", sent) for sent in (
        {}, {"name": ""}, {"name": None}, {"name": 7}, {"name": "a/b"}, {"name": "a:b"}, {"name": "."}, {"name": ".."}, {"name": "x/"},
        {"name": "delays"}, {"name": "new", "tags": "x"}, {"name": "new", "tags": [{"key": LONG_KEY, "value": "v"}]},
        {"name": "new", "tags": [{"key": "k", "value": LONG_VALUE}]}, {"name": "new", "description": 7},
    )],
    *[(f"{MODELS}/get", "GET", sent) for sent in ({}, {"name": ""}, {"name": "nope"}, {"name": "delays"}, {"name": "delays", "unknown": "x"})],
    *[(f"{MODELS}/search", "GET", {"filter": text}) for text in (
        "", "name = 'delays'", "name != 'delays'", "name LIKE 'de%'", "name ILIKE 'DE%'", "name like 'de%'", "name IN ('delays')", "name NOT IN ('delays')",
        "tags.team = 'ops'", "tag.team = 'ops'", "tags.`team` = 'ops'", 'name = "delays"', "attribute.name = 'delays'", "tags.team != 'x' AND name = 'delays'", "tags.team LIKE 'o%'", "tags.team ILIKE 'O%'",
        "name == 'delays'", "name = 'a' OR name = 'b'", "name > 'a'", "name = 1", "name = delays", "name", "name =", "= 'a'", "description = 'a'", "creation_timestamp > 1",
        "last_updated_timestamp > 1", "status = 'READY'", "current_stage = 'None'", "aliases = 'a'", "name = 'a' AND", "version_number = 1", "run_id = 'a'", "tags.team IN ('a')", "tags.team > 'a'", "junk junk junk", "AND", "1 = 1",
    )],
    *[(f"{MODELS}/search", "GET", {"order_by": order}) for order in (
        "name", "name ASC", "name DESC", "name desc", "timestamp", "last_updated_timestamp DESC", "nope", "name sideways", "description", "name;", "name ASC DESC", ["name", "timestamp DESC"],
    )],
    *[(f"{MODELS}/search", "GET", sent) for sent in (
        {"max_results": 1}, {"max_results": 1000}, {"max_results": 1001}, {"max_results": -1}, {"max_results": "x"}, {"page_token": "x"}, {"page_token": "AAAA"},
    )],
    *[(f"{MODELS}/rename", "POST", sent) for sent in (
        {}, {"name": "nope", "new_name": "x"}, {"name": "delays", "new_name": "a/b"}, {"name": "delays", "new_name": "other"}, {"name": "delays", "new_name": ""}, {"name": "delays", "new_name": 7},
    )],
    *[(f"{MODELS}/update", "PATCH", sent) for sent in ({}, {"name": "nope", "description": "x"}, {"name": "delays", "description": 7}, {"name": "delays", "description": ""})],
    *[(f"{MODELS}/delete", "DELETE", sent) for sent in ({}, {"name": "nope"}, {"name": ""})],
    *[(f"{MODELS}/set-tag", "POST", sent) for sent in (
        {}, {"name": "delays"}, {"name": "nope", "key": "a", "value": "b"}, {"name": "delays", "key": "", "value": "b"}, {"name": "delays", "key": LONG_KEY, "value": "b"},
        {"name": "delays", "key": "k", "value": LONG_VALUE}, {"name": "delays", "key": "team", "value": "ops"}, {"name": "delays", "key": 7, "value": "b"},
    )],
    *[(f"{MODELS}/delete-tag", "DELETE", sent) for sent in ({}, {"name": "delays", "key": "absent"}, {"name": "nope", "key": "a"}, {"name": "delays"})],
    *[(f"{MODELS}/get-latest-versions", method, sent) for method in ("GET", "POST") for sent in (
        {}, {"name": "nope"}, {"name": "delays"}, {"name": "delays", "stages": ["staging"]}, {"name": "delays", "stages": ["Shipped"]}, {"name": "other"},
    )],
    *[(f"{MODELS}/alias", "GET", sent) for sent in (
        {}, {"name": "delays"}, {"name": "delays", "alias": "best"}, {"name": "delays", "alias": "absent"}, {"name": "delays", "alias": "latest"}, {"name": "nope", "alias": "best"}, {"name": "nope", "alias": "latest"}, {"name": "other", "alias": "latest"},
    )],
    *[(f"{MODELS}/alias", "POST", sent) for sent in (
        {}, {"name": "delays", "alias": "a"}, {"name": "delays", "alias": "best", "version": "1"}, {"name": "delays", "alias": "a", "version": "99"}, {"name": "nope", "alias": "a", "version": "1"},
        *[{"name": "delays", "alias": alias, "version": "1"} for alias in ("latest", "Latest", "v1", "V12", "a b", "a/b", "a.b", "", "x" * 256)],
    )],
    *[(f"{MODELS}/alias", "DELETE", sent) for sent in ({}, {"name": "delays"}, {"name": "delays", "alias": "absent"}, {"name": "nope", "alias": "best"})],
    *[(f"{VERSIONS}/create", "POST", sent) for sent in (
        {}, {"name": "delays"}, {"name": "nope", "source": SOURCE, "run_id": RUN}, {"name": "delays", "source": "/etc/passwd"}, {"name": "delays", "source": "file:///etc/passwd"},
        {"name": "delays", "source": 7}, {"name": "delays", "source": "mlflow-artifacts:/0/../1/artifacts"}, {"name": "delays", "source": "mlflow-artifacts:/0/%2e%2e/1"},
    )],
    *[(f"{VERSIONS}/get", "GET", sent) for sent in (
        {}, {"name": "delays"}, {"name": "delays", "version": "1"}, {"name": "delays", "version": "99"}, {"name": "delays", "version": "0"}, {"name": "delays", "version": "one"}, {"name": "delays", "version": "1.0"}, {"name": "nope", "version": "1"},
    )],
    *[(f"{VERSIONS}/search", "GET", {"filter": text}) for text in (
        "", "name = 'delays'", "name LIKE 'de%'", "name ILIKE 'DE%'", "run_id = 'x'", "run_id IN ('x')", "run_id NOT IN ('x')", "name IN ('delays')", "source_path = 'x'", "source_path LIKE 'x%'",
        "version_number = 1", "version_number > 1", "version_number <= 2", "version_number != 1", "tags.odd = 'yes'", "tags.`odd` != 'no'", "tags.odd LIKE 'y%'", "attribute.run_id = 'x'",
        "version_number = 'x'", "version_number LIKE '1'", "status = 'READY'", "current_stage = 'Staging'", "stage = 'Staging'", "aliases = 'best'", "creation_timestamp > 1", "last_updated_timestamp > 1", "name = 'a' OR name = 'b'", "name == 'a'", "nope = 'a'", "run_id = 1", "run_id > 'x'", "source_path IN ('x')", "name =",
    )],
    *[(f"{VERSIONS}/search", "GET", {"order_by": order}) for order in ("name", "version_number DESC", "creation_timestamp", "last_updated_timestamp DESC", "run_id", "nope", "name sideways", ["name", "version_number"])],
    *[(f"{VERSIONS}/search", "GET", sent) for sent in ({"max_results": 1}, {"max_results": 200_000}, {"max_results": 200_001}, {"max_results": -1}, {"max_results": "x"}, {"page_token": "x"})],
    *[(f"{VERSIONS}/update", "PATCH", sent) for sent in ({}, {"name": "delays", "version": "99", "description": "x"}, {"name": "delays", "version": "1", "description": ""}, {"name": "delays", "version": "1", "description": 7})],
    *[(f"{VERSIONS}/delete", "DELETE", sent) for sent in ({}, {"name": "delays", "version": "99"}, {"name": "nope", "version": "1"}, {"name": "delays", "version": "one"})],
    *[(f"{VERSIONS}/transition-stage", "POST", sent) for sent in (
        {}, {"name": "delays", "version": "1"}, {"name": "delays", "version": "1", "stage": "Shipped"}, {"name": "delays", "version": "99", "stage": "Staging"}, {"name": "delays", "version": "2", "stage": "sTAGING"},
        {"name": "delays", "version": "3", "stage": "None"}, {"name": "delays", "version": "1", "stage": "Staging", "archive_existing_versions": "maybe"},
    )],
    *[(f"{VERSIONS}/get-download-uri", "GET", sent) for sent in ({}, {"name": "delays", "version": "99"}, {"name": "nope", "version": "1"}, {"name": "delays", "version": "one"})],
    *[(f"{VERSIONS}/set-tag", "POST", sent) for sent in (
        {}, {"name": "delays", "version": "1"}, {"name": "delays", "version": "99", "key": "a", "value": "b"}, {"name": "delays", "version": "1", "key": LONG_KEY, "value": "b"}, {"name": "delays", "version": "1", "key": "odd", "value": "yes"}, {"name": "delays", "version": "one", "key": "a", "value": "b"},
    )],
    *[(f"{VERSIONS}/delete-tag", "DELETE", sent) for sent in ({}, {"name": "delays", "version": "1"}, {"name": "delays", "version": "1", "key": "absent"}, {"name": "delays", "version": "99", "key": "a"})],
]  # fmt: skip

INVALID = (400, "INVALID_PARAMETER_VALUE")
OURS_ON_PURPOSE = {
    # The peer reads half a filter as none and answers everything.
    f'GET {MODELS}/search {{"filter": "name = \'a\' AND"}}': ((200, ""), INVALID),
    f'GET {MODELS}/search {{"filter": "AND"}}': ((200, ""), INVALID),
    # A page of less than no rows is a mistake of the caller.
    f'GET {MODELS}/search {{"max_results": -1}}': ((200, ""), INVALID),
}


def asked(question):
    address, method, sent = question
    return f"{method} {address} {json.dumps(sent)[:160]}"


def said(side, question):
    address, method, sent = question
    own = {RUN: side.run_id, SOURCE: side.source}
    sent = {name: own.get(value, value) if isinstance(value, str) else value for name, value in sent.items()}
    status, body = side.call(method, f"{API}{address}", sent)
    return status, body.get("error_code", "")


def test_both_answer_the_same(theirs, ours):
    differing = {}
    for question in QUESTIONS:
        mlflow, controlplane = said(theirs, question), said(ours, question)
        if mlflow != controlplane:
            differing[asked(question)] = (mlflow, controlplane)
    assert differing == OURS_ON_PURPOSE


def found(side, address, word, key, **sent):
    """The names or numbers a search answers, page by page."""
    walked, token = [], ""
    while True:
        more = {"page_token": token} if token else {}
        status, body = side.call("GET", f"{API}{address}", {**sent, **more})
        assert status == 200, body
        walked += [each[key] for each in body.get(word, [])]
        token = body.get("next_page_token", "")
        if not token:
            return walked


def test_both_find_the_same_in_the_same_order_page_by_page(theirs, ours):
    for address, word, key, orders in (
        (f"{MODELS}/search", "registered_models", "name", [[], ["name DESC"]]),
        (f"{VERSIONS}/search", "model_versions", "version", [["name"], ["version_number"], ["version_number DESC"]]),
    ):  # fmt: skip
        for order in orders:
            for size in (1, 2, 100):
                asked = {"order_by": order, "max_results": size}
                assert found(theirs, address, word, key, **asked) == found(ours, address, word, key, **asked)
    for text in (
        "name = 'delays'", "version_number > 1", "version_number != 2", "tags.odd = 'yes'", "tags.odd != 'yes'", "tags.odd LIKE 'Y%'", "tags.odd ILIKE 'Y%'", "name LIKE 'D%'", "name ILIKE 'D%'", "name NOT IN ('delays')",
    ):  # fmt: skip
        asked = {"filter": text, "order_by": ["version_number"]}
        both = [
            found(side, f"{VERSIONS}/search", "model_versions", "version", **asked) for side in (theirs, ours)
        ]
        assert both[0] == both[1], text


def test_both_say_the_same_of_a_model_and_a_version(theirs, ours):
    """The same fields with the same values, apart from times, ids and where files are."""
    differing = {
        "creation_timestamp",
        "last_updated_timestamp",
        "source",
        "run_id",
        "status",
        "latest_versions",
    }
    for address, word, sent in (
        (f"{MODELS}/get", "registered_model", {"name": "delays"}),
        (f"{VERSIONS}/get", "model_version", {"name": "delays", "version": "1"}),
        (f"{MODELS}/alias", "model_version", {"name": "delays", "alias": "best"}),
    ):
        mlflow, controlplane = (side.must("GET", address, **sent)[word] for side in (theirs, ours))
        for name in mlflow.keys() - differing:
            assert mlflow[name] == controlplane[name], (address, name)
        filled = {name for name, value in controlplane.items() if value not in ("", None, [])}
        assert filled - differing <= mlflow.keys(), address
