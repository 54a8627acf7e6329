"""Registered models and their tags, as the peer was measured to behave."""

import pytest

from accounts.models import ApiToken
from registry.imports.fitting import fitting_tags
from registry.models import ModelVersion, RegisteredModel
from registry.run_facts import TAGS_OF_RUNS

pytestmark = pytest.mark.django_db


def events(action):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT body::jsonb FROM audit.event WHERE body::jsonb->>'action' = %s ORDER BY id", [action]
        )
        import json

        return [json.loads(body) if isinstance(body, str) else body for (body,) in cursor.fetchall()]


def test_a_model_is_created_read_changed_and_deleted(surface, scientist):
    mine = surface(scientist)
    status, body = mine.post(
        "registered-models/create", name="delays", description="Late?", tags=[{"key": "team", "value": "ops"}]
    )
    model = body["registered_model"]
    assert status == 200
    assert (model["name"], model["description"], model["tags"]) == (
        "delays",
        "Late?",
        [{"key": "team", "value": "ops"}],
    )
    assert model["latest_versions"] == []
    assert model["aliases"] == []
    assert isinstance(model["creation_timestamp"], int)
    assert mine.get("registered-models/get", name="delays") == (200, body)
    assert (
        mine.patch("registered-models/update", name="delays", description="Later")[1]["registered_model"][
            "description"
        ]
        == "Later"
    )
    status, body = mine.post("registered-models/rename", name="delays", new_name="arrivals")
    assert (status, body["registered_model"]["name"]) == (200, "arrivals")
    assert mine.get("registered-models/get", name="delays")[0] == 404
    assert mine.delete("registered-models/delete", name="arrivals") == (200, {})
    status, body = mine.get("registered-models/get", name="arrivals")
    assert (status, body["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert [each["action"] for each in events("registry.model_created")] == ["registry.model_created"]
    assert events("registry.model_created")[0]["actor"]["via"] == "token"


def test_both_prefixes_answer_alike(token_client, scientist):
    client = token_client(scientist)
    client.post(
        "/ajax-api/2.0/mlflow/registered-models/create", {"name": "delays"}, content_type="application/json"
    )
    answers = [
        client.get(f"/{prefix}/2.0/mlflow/registered-models/get?name=delays").content
        for prefix in ("api", "ajax-api")
    ]
    assert answers[0] == answers[1]


def test_a_taken_name_is_400_and_not_409(surface, scientist, stranger):
    surface(scientist).post("registered-models/create", name="delays")
    status, body = surface(scientist).post("registered-models/create", name="delays")
    assert (status, body["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    status, body = surface(scientist).post("registered-models/create", name="dеlays")  # a Cyrillic e
    assert (status, body["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")


NAMES_THAT_ARE_FINE = ["é", "模型", "a b", "x" * 256, "a.b", "-", "%2e%2e"]


def test_names_that_are_fine(surface, scientist, subtests):
    for name in NAMES_THAT_ARE_FINE:
        with subtests.test(name=str(name)[:100]):
            assert surface(scientist).post("registered-models/create", name=name)[0] == 200
            assert surface(scientist).get("registered-models/get", name=name)[0] == 200


NAMES_THAT_ARE_NOT = [
    "",
    " ",
    "a/b",
    "a:b",
    ".",
    "..",
    "x" * 257,
    "a\u0000b",
    "a\u202eb",
    "a\u200bb",
    "\ud800",
    "a\nb",
    7,
    None,
    ["a"],
    {"a": 1},
]


def test_names_that_are_not(surface, scientist, subtests):
    for name in NAMES_THAT_ARE_NOT:
        with subtests.test(name=str(name)[:100]):
            status, body = surface(scientist).post("registered-models/create", name=name)
            assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
            assert "name" in body["message"]
            assert not RegisteredModel.objects.exists()


def test_unknown_fields_are_ignored_and_an_empty_body_is_an_empty_object(surface, scientist):
    mine = surface(scientist)
    assert mine.post("registered-models/create", name="delays", created_by="somebody", colour="red")[0] == 200
    status, body = mine.send("POST", "registered-models/create", "")
    assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_tags_are_set_replaced_and_deleted(surface, scientist):
    mine = surface(scientist)
    mine.post("registered-models/create", name="delays")
    for value in ("one", "two"):
        assert mine.post("registered-models/set-tag", name="delays", key="k", value=value) == (200, {})
    assert mine.get("registered-models/get", name="delays")[1]["registered_model"]["tags"] == [
        {"key": "k", "value": "two"}
    ]
    for _ in range(2):
        assert mine.delete("registered-models/delete-tag", name="delays", key="k") == (200, {})
    assert mine.get("registered-models/get", name="delays")[1]["registered_model"]["tags"] == []


TAGS_HAVE_LIMITS = [("k" * 250, "v", 200), ("k" * 251, "v", 400), ("k", "v" * 100_000, 200), ("k", "v" * 100_001, 400), ("k", "a\u0000", 400), ("k", 3, 400), ("", "v", 400)]  # fmt: skip


def test_tags_have_limits(surface, scientist, subtests):
    for key, value, status in TAGS_HAVE_LIMITS:
        with subtests.test(key=str(key)[:100]):
            surface(scientist).post("registered-models/create", name="delays")
            assert (
                surface(scientist).post("registered-models/set-tag", name="delays", key=key, value=value)[0]
                == status
            )


def test_without_a_live_token_nothing_is_answered(client, surface, scientist, client_for):
    assert client.get("/api/2.0/mlflow/registered-models/search").status_code == 401
    assert client_for(scientist).get("/api/2.0/mlflow/registered-models/search").status_code == 401
    mine = surface(scientist)
    assert mine.get("registered-models/search")[0] == 200
    ApiToken.objects.update(expires_at="2020-01-01T00:00:00Z")
    assert mine.get("registered-models/search") == (
        401,
        {"error_code": "UNAUTHENTICATED", "message": "The token is unknown, expired or revoked."},
    )


def test_basic_authentication_takes_the_token_as_the_password(client, scientist):
    from base64 import b64encode

    from accounts.actors import actor_for
    from accounts.services import issue_token

    _, secret = issue_token(actor=actor_for(scientist), account=scientist, name="t", scopes=["all"])
    for password, status in ((secret, 200), ("cp_wrong", 401), (secret[:-1] + "!", 401)):
        header = "Basic " + b64encode(f"anybody:{password}".encode()).decode()
        answer = client.get("/api/2.0/mlflow/registered-models/search", headers={"Authorization": header})
        assert answer.status_code == status


def test_a_token_of_another_scope_is_refused(surface, scientist):
    surface(scientist).post("registered-models/create", name="delays")
    narrow = surface(scientist, ["predict"])
    status, body = narrow.get("registered-models/get", name="delays")
    assert (status, body["error_code"]) == (403, "PERMISSION_DENIED")
    status, body = narrow.post("registered-models/create", name="other")
    assert (status, body["error_code"]) == (403, "PERMISSION_DENIED")
    status, body = surface(scientist, ["view"]).post(
        "registered-models/set-tag", name="delays", key="a", value="b"
    )
    assert (status, body["error_code"]) == (403, "PERMISSION_DENIED")
    assert "register" in body["message"]


def test_a_stranger_sees_nothing_and_no_number_moves(surface, scientist, stranger, make_account):
    mine, theirs = surface(scientist), surface(stranger)
    other = surface(make_account("colleague", "data-scientist"))
    before = [each.get("registered-models/search") for each in (theirs, other)]
    mine.post("registered-models/create", name="delays")
    assert [each.get("registered-models/search") for each in (theirs, other)] == before
    for each in (theirs, other):
        for answer in (
            each.get("registered-models/get", name="delays"),
            each.post("registered-models/set-tag", name="delays", key="a", value="b"),
            each.delete("registered-models/delete-tag", name="delays", key="a"),
            each.patch("registered-models/update", name="delays", description="mine now"),
            each.post("registered-models/rename", name="delays", new_name="mine"),
            each.delete("registered-models/delete", name="delays"),
            each.post("registered-models/get-latest-versions", name="delays"),
            each.get("registered-models/alias", name="delays", alias="latest"),
            each.post("model-versions/create", name="delays", source="runs:/r/model"),
        ):
            unknown = {
                "error_code": "RESOURCE_DOES_NOT_EXIST",
                "message": "Registered Model with name=delays not found",
                "field": "name",
            }
            assert answer == (404, unknown)
        assert each.get("registered-models/search", filter="name = 'delays'") == (
            200,
            {"registered_models": []},
        )


def test_who_may_see_all_reads_but_does_not_write(surface, scientist, reviewer):
    surface(scientist).post("registered-models/create", name="delays")
    assert surface(reviewer).get("registered-models/get", name="delays")[0] == 200
    status, body = surface(reviewer).post("registered-models/set-tag", name="delays", key="a", value="b")
    assert (status, body["error_code"]) == (403, "PERMISSION_DENIED")
    assert surface(reviewer).post("registered-models/create", name="mine")[0] == 403
    assert {each["outcome"] for each in events("registry.set_tag")} <= {"denied"}


def test_methods_have_one_door_each(surface, scientist):
    status, body = surface(scientist).get("registered-models/create", name="a")
    assert (status, body["error_code"]) == (405, "INVALID_PARAMETER_VALUE")
    assert surface(scientist).delete("registered-models/search")[0] == 405


@pytest.mark.parametrize("key", TAGS_OF_RUNS)
def test_what_only_a_run_may_say_is_refused_at_first_as_later(surface, scientist, tracking, key):
    """Nothing would read it here, and people would take it for what it says."""
    mine, tags = surface(scientist), [{"key": key, "value": "{}"}]
    source = tracking.add_run("r1")
    mine.post("registered-models/create", name="delays")
    about = {"name": "delays", "version": "1"}
    refused = [
        mine.post("registered-models/create", name="other", tags=tags),
        mine.post("model-versions/create", name="delays", source=source, run_id="r1", tags=tags),
        mine.post("registered-models/set-tag", name="delays", **tags[0]),
    ]
    assert not ModelVersion.objects.exists()
    assert RegisteredModel.objects.get().next_number == 1, "no number is used up"
    mine.post("model-versions/create", name="delays", source=source, run_id="r1")
    refused.append(mine.post("model-versions/set-tag", **about, **tags[0]))
    for status, body in refused:
        assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert f"The tag {key} is read from the run" in body["message"]
    kept, left_out = fitting_tags({key: "{}", "team": "ops"})
    assert kept == {"team": "ops"}
    assert "read from the run" in left_out[key], "what comes from elsewhere comes without it, and is told"
