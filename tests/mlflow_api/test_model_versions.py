"""Versions, aliases and stages, as the peer was measured to behave."""

import uuid

import pytest

from audit.models import Event
from registry.models import ModelVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(surface, scientist):
    surface(scientist).post("registered-models/create", name="delays")
    return surface(scientist)


@pytest.fixture
def register(mine, tracking, run_jobs):
    """``register()``: one more version of delays, from a run of the scientist, READY."""

    def make(**more):
        run_id = uuid.uuid4().hex
        source = tracking.add_run(run_id)
        status, body = mine.post("model-versions/create", name="delays", source=source, run_id=run_id, **more)
        assert status == 200, body
        assert body["model_version"]["status"] == "PENDING_REGISTRATION"
        run_jobs()
        return body["model_version"]["version"]

    return make


def test_a_version_is_registered_read_changed_and_deleted(mine, register):
    assert register(description="first", tags=[{"key": "a", "value": "b"}]) == "1"
    version = mine.get("model-versions/get", name="delays", version="1")[1]["model_version"]
    assert (version["status"], version["current_stage"], version["description"]) == ("READY", "None", "first")
    assert (version["tags"], version["aliases"]) == ([{"key": "a", "value": "b"}], [])
    status, body = mine.patch("model-versions/update", name="delays", version="1", description="second")
    assert (status, body["model_version"]["description"]) == (200, "second")
    assert mine.post("model-versions/set-tag", name="delays", version="1", key="c", value="d") == (200, {})
    assert mine.delete("model-versions/delete-tag", name="delays", version="1", key="a") == (200, {})
    tags = mine.get("model-versions/get", name="delays", version="1")[1]["model_version"]["tags"]
    assert tags == [{"key": "c", "value": "d"}]
    assert mine.delete("model-versions/delete", name="delays", version="1") == (200, {})
    assert mine.get("model-versions/get", name="delays", version="1")[0] == 404


def test_numbers_are_never_reused_and_a_deleted_version_drops_its_aliases(mine, register):
    register()
    register()
    mine.post("registered-models/alias", name="delays", alias="best", version="2")
    mine.delete("model-versions/delete", name="delays", version="2")
    assert mine.get("registered-models/get", name="delays")[1]["registered_model"]["aliases"] == []
    assert register() == "3"


VERSION_NUMBERS_THAT_ARE_NONE = [("99", 404), ("99999999999999999999", 404), ("0", 404), ("-1", 400), ("1.0", 400), ("one", 400), ("", 400), ("١", 400), (1, 400), (None, 400)]  # fmt: skip


def test_version_numbers_that_are_none(mine, subtests):
    for version, status in VERSION_NUMBERS_THAT_ARE_NONE:
        with subtests.test(version=str(version)[:100]):
            asked = {} if version is None else {"version": version}
            assert mine.patch("model-versions/update", name="delays", **asked)[0] == status
            if isinstance(version, str):
                assert mine.get("model-versions/get", name="delays", version=version)[0] == status


SOURCES_THAT_ARE_REFUSED = [
    "", "/etc/passwd", "file:///etc/passwd", "C:\\model", "http://example.com/model", "s3://bucket/model", "dbfs:/model",
    "runs:/r1/../../etc", "runs:/r1/%2e%2e/x", "runs:/r1/%252e%252e/x", "runs:/r1/a\\b", "runs:/r1/a\u0000", "runs:/../x/model",
    "models:/", "models:/m-", "models:/m-0\n", "models:/delays/1\n", "runs:/r1\n/m", "mlflow-artifacts:/0/../1/artifacts", "mlflow-artifacts://evil.example/0/r1/artifacts", "..", ".", 7, None,
]  # fmt: skip


def test_sources_that_are_refused(mine, tracking, subtests):
    for source in SOURCES_THAT_ARE_REFUSED:
        with subtests.test(source=str(source)[:100]):
            status, body = mine.post("model-versions/create", name="delays", source=source)
            assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
            assert not ModelVersion.objects.exists()


def test_a_source_of_somebody_else_does_not_exist(mine, tracking, make_account):
    other = make_account("colleague", "data-scientist")
    source = tracking.add_run("theirs", owner=str(other.person_id))
    for known, asked in ((source, "theirs"), ("runs:/nowhere/model", "nowhere")):
        status, body = mine.post("model-versions/create", name="delays", source=known, run_id=asked)
        assert (status, body["error_code"], body["message"]) == (
            404,
            "RESOURCE_DOES_NOT_EXIST",
            f"There is no run {asked}.",
        )
    assert not ModelVersion.objects.exists()


def test_a_logged_model_kept_elsewhere_is_refused_at_once(mine, tracking, scientist, token_client):
    tracking.owner = str(scientist.person_id)
    tracking.add_run("r7")
    source = tracking.add_logged_model("m-away", "r7")
    tracking.logged_models["m-away"]["info"]["artifact_uri"] = "s3://theirs/models/m-away"
    status, body = mine.post("model-versions/create", name="delays", source=source)
    assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "s3://theirs/models/m-away" in body["message"]
    sent = token_client(scientist).post(
        "/api/v1/models/delays/versions", {"source": source}, "application/json"
    )
    assert (sent.status_code, sent.json()["errors"][0]["pointer"]) == (400, "/source")
    assert not ModelVersion.objects.exists()


def test_whose_a_run_is_is_asked_once_and_still_refused_to_others(
    surface, mine, tracking, scientist, make_account
):
    other = make_account("colleague", "data-scientist")
    surface(other).post("registered-models/create", name="theirs")
    source = tracking.add_run("r9", owner=str(scientist.person_id))
    assert mine.post("model-versions/create", name="delays", source=source)[0] == 200
    tracking.is_away = True
    assert mine.post("model-versions/create", name="delays", source=source)[0] == 200
    refused = surface(other).post("model-versions/create", name="theirs", source=source)
    assert (refused[0], refused[1]["message"]) == (404, "There is no run r9.")
    assert Event.objects.acting("tracking.refused").get().fields["actor"]["name"] == "colleague"


def test_a_tracking_server_that_is_away_is_503(mine, tracking):
    tracking.is_away = True
    status, body = mine.post("model-versions/create", name="delays", source="runs:/r1/model")
    assert (status, body["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")


def test_aliases_are_set_moved_read_and_deleted(mine, register):
    register()
    register()
    for version in ("1", "2"):
        assert mine.post("registered-models/alias", name="delays", alias="best-é_1", version=version) == (
            200,
            {},
        )
        found = mine.get("registered-models/alias", name="delays", alias="best-é_1")[1]["model_version"]
        assert (found["version"], found["aliases"]) == (version, ["best-é_1"])
    model = mine.get("registered-models/get", name="delays")[1]["registered_model"]
    assert model["aliases"] == [{"alias": "best-é_1", "version": "2"}]
    assert [each["version"] for each in model["latest_versions"]] == ["2"]
    for _ in range(2):
        assert mine.delete("registered-models/alias", name="delays", alias="best-é_1") == (200, {})


def test_latest_is_the_highest_version_and_an_absent_alias_is_400(mine, register):
    status, body = mine.get("registered-models/alias", name="delays", alias="latest")
    assert (status, body["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    register()
    register()
    assert (
        mine.get("registered-models/alias", name="delays", alias="latest")[1]["model_version"]["version"]
        == "2"
    )
    status, body = mine.get("registered-models/alias", name="delays", alias="nope")
    assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert mine.get("registered-models/alias", name="nope", alias="nope")[0] == 404


NAMES_THAT_ARE_NO_ALIAS = [
    "latest",
    "LATEST",
    "v1",
    "V12",
    "a b",
    "a/b",
    "a.b",
    "",
    "x" * 256,
    "a\u0000",
    "\ud800",
]


def test_names_that_are_no_alias(mine, register, subtests):
    for alias in NAMES_THAT_ARE_NO_ALIAS:
        with subtests.test(alias=str(alias)[:100]):
            register()
            status, body = mine.post("registered-models/alias", name="delays", alias=alias, version="1")
            assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_a_protected_alias_is_refused_with_the_address_of_the_request(mine, register):
    register()
    for call in (
        lambda: mine.post("registered-models/alias", name="delays", alias="champion", version="1"),
        lambda: mine.post("model-versions/transition-stage", name="delays", version="1", stage="production"),
    ):
        status, body = call()
        assert (status, body["error_code"]) == (403, "PERMISSION_DENIED")
        assert body["address"] in body["message"]
        assert "/approvals/" in body["address"]
    assert mine.get("registered-models/get", name="delays")[1]["registered_model"]["aliases"] == []
    assert (
        mine.get("model-versions/get", name="delays", version="1")[1]["model_version"]["current_stage"]
        == "None"
    )


def test_stages_in_any_case_and_archiving(mine, register):
    register()
    register()
    move = "model-versions/transition-stage"
    assert (
        mine.post(move, name="delays", version="1", stage="sTaGiNg")[1]["model_version"]["current_stage"]
        == "Staging"
    )
    mine.post(move, name="delays", version="2", stage="Staging", archive_existing_versions=True)
    stages = [
        mine.get("model-versions/get", name="delays", version=each)[1]["model_version"]["current_stage"]
        for each in "12"
    ]
    assert stages == ["Archived", "Staging"]
    status, body = mine.post(move, name="delays", version="1", stage="Shipped")
    assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert (
        mine.post(move, name="delays", version="1", stage="None", archive_existing_versions="maybe")[0] == 400
    )
    latest = mine.post("registered-models/get-latest-versions", name="delays", stages=["staging"])[1][
        "model_versions"
    ]
    assert [each["version"] for each in latest] == ["2"]
    every = mine.get("registered-models/get-latest-versions", name="delays")[1]["model_versions"]
    assert {each["current_stage"]: each["version"] for each in every} == {"Staging": "2", "Archived": "1"}
    assert mine.post("registered-models/get-latest-versions", name="delays", stages=["Shipped"])[0] == 400


def test_the_download_address_is_our_own_copy(mine, register, surface, token_client, scientist, stranger):
    register()
    status, body = mine.get("model-versions/get-download-uri", name="delays", version="1")
    version = ModelVersion.objects.get()
    assert (status, body) == (200, {"artifact_uri": f"mlflow-artifacts:/versions/{version.pk}"})
    client, root = token_client(scientist), "/api/2.0/mlflow-artifacts/artifacts"
    listed = client.get(root, {"path": f"versions/{version.pk}"}).json()["files"]
    assert [each["path"] for each in listed] == [
        "MLmodel",
        "model.pkl",
        "python_env.yaml",
        "requirements.txt",
    ]
    answer = client.get(f"{root}/versions/{version.pk}/requirements.txt")
    assert b"".join(answer.streaming_content).startswith(b"mlflow==")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert client.get(f"{root}/versions/{version.pk}/nope").status_code == 404
    assert client.put(f"{root}/versions/{version.pk}/MLmodel", b"x").status_code == 409
    assert client.delete(f"{root}/versions/{version.pk}/MLmodel").status_code == 409
    for evil in ("../../etc/passwd", "%2e%2e/x", "a\\b", "a%5cb"):
        assert client.get(f"{root}/versions/{version.pk}/{evil}").status_code in {400, 404}
    theirs = token_client(stranger)
    assert theirs.get(root, {"path": f"versions/{version.pk}"}).status_code == 404
    assert theirs.get(f"{root}/versions/{version.pk}/MLmodel").status_code == 404


def test_a_version_without_files_has_no_download_address(mine, tracking):
    mine.post("model-versions/create", name="delays", source=tracking.add_run("r1"), run_id="r1")
    status, body = mine.get("model-versions/get-download-uri", name="delays", version="1")
    assert (status, body["error_code"]) == (409, "RESOURCE_CONFLICT")


def test_strangers_see_no_version(mine, register, surface, stranger):
    register()
    theirs = surface(stranger)
    for answer in (
        theirs.get("model-versions/get", name="delays", version="1"),
        theirs.get("model-versions/get-download-uri", name="delays", version="1"),
        theirs.post("model-versions/transition-stage", name="delays", version="1", stage="Staging"),
        theirs.post("registered-models/alias", name="delays", alias="best", version="1"),
        theirs.delete("model-versions/delete", name="delays", version="1"),
        theirs.post("model-versions/set-tag", name="delays", version="1", key="a", value="b"),
    ):
        assert answer[0] == 404
    assert theirs.get("model-versions/search") == (200, {"model_versions": []})


def test_one_read_costs_two_statements_whatever_the_model_holds(mine, register, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    register()
    mine.get("registered-models/get", name="delays")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            mine.get("registered-models/get", name="delays")
        counts.append(len(queries))
        for _ in range(3):
            register()
    assert counts[0] == counts[1]
