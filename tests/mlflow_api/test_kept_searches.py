"""A search's statement is made once for its shape; what it finds is asked each time."""

import json
import re

import pytest
from django.db import connection

from core.errors import Invalid
from mlflow_api import searching
from mlflow_api.surfaces import MODELS, VERSIONS
from registry.models import ModelVersion, RegisteredModel
from registry.services import create_model, rename_model, set_tag
from tests.database import superuser

pytestmark = pytest.mark.django_db(transaction=True)


def found(surface, who, text="", token="", size=50, order=()):
    page = searching.search(surface, who, text=text, order_by=order, token=token, size=size)
    return [json.loads(each)["name"] for each in page.entries], page.next_token


@pytest.fixture
def two_teams(make_account, actor):
    teams = [actor(make_account(name, "data-scientist")) for name in ("red", "blue")]
    for who, name in zip(teams, ("red", "blue"), strict=True):
        for number in (1, 2, 3):
            tags = {"team": name, "same": name, "number": str(number)}
            model = create_model(actor=who, name=f"{name}-{number}", tags=tags)
            ModelVersion.objects.create(model=model, number=1, run_id=name, source="s3://b/m")
    return teams


def test_each_search_binds_its_own_texts(two_teams, monkeypatch):
    red, blue = two_teams
    made, real = [], searching._statement
    monkeypatch.setattr(searching, "_statement", lambda asked: made.append(asked) or real(asked))
    for again in (False, True):
        made.clear()
        assert found(MODELS, red, "name LIKE 'red-1%'")[0] == ["red-1"]
        assert found(MODELS, red, "name LIKE 'red-2%'")[0] == ["red-2"]
        assert found(MODELS, red, "name LIKE 'blue-%'")[0] == []
        assert found(MODELS, blue, "name LIKE 'blue-1%'")[0] == ["blue-1"]
        assert found(MODELS, red, "tags.team = 'red' AND tags.same = 'red'")[0] == ["red-1", "red-2", "red-3"]
        assert found(MODELS, red, "tags.team = 'red' AND tags.same = 'blue'")[0] == []
        assert found(MODELS, red, "tags.number = '2'")[0] == ["red-2"]
        assert found(MODELS, red, "tags.number != '2'")[0] == ["red-1", "red-3"]
        assert found(VERSIONS, red, "name = 'red-3'")[0] == ["red-3"]
        assert found(VERSIONS, red, "name = 'blue-3'")[0] == []
        assert found(VERSIONS, blue, "name = 'blue-3'")[0] == ["blue-3"]
        assert sorted(found(VERSIONS, blue)[0]) == ["blue-1", "blue-2", "blue-3"]
        assert len(made) == 0 if again else len(made) >= 7
        assert found(VERSIONS, blue, "version_number = 1 AND run_id = 'blue'", size=1)[0] != []


def test_a_beginning_is_what_like_says_it_is(two_teams, actor, make_account):
    """It is said as a range, too, so that an index finds it."""
    who = actor(make_account("third", "data-scientist"))
    names = [
        "a",
        "ab",
        "abc",
        "aB",
        "b",
        "ab\U0010ffff",
        "ab\U0010ffffz",
        "a_b",
        "a%b",
        "ac",
        "\u00e9t\u00e9",
    ]
    for name in names:
        RegisteredModel.objects.create(name=name, look_sha256=name.encode().hex()[:64])
    everything = actor(make_account("sees-all", "auditor"))
    for pattern in ("a%", "ab%", "abc%", "b%", "\u00e9%", "z%", "a_%", "a%b%", "%", "ab\U0010ffff%"):
        regex = re.compile(
            ".*".join(re.escape(each).replace("_", ".") for each in pattern.split("%")), re.DOTALL
        )
        expected = sorted((each for each in names if regex.fullmatch(each)), key=lambda each: each.encode())
        seen = [each for each in found(MODELS, everything, f"name LIKE '{pattern}'")[0] if each in names]
        assert seen == expected, pattern
        assert found(MODELS, who, f"name LIKE '{pattern}'")[0] == []
    down = found(MODELS, everything, "name LIKE 'ab%'", order=["name DESC"])[0]
    assert down == sorted(down, key=lambda each: each.encode(), reverse=True) and len(down) == 4


def test_pages_go_on_where_the_one_before_ended(two_teams):
    red, _ = two_teams
    for order in ([], ["timestamp DESC"]):
        for _ in range(2):
            seen, token = found(MODELS, red, size=1, order=order)
            while token:
                more, token = found(MODELS, red, token=token, size=1, order=order)
                seen += more
            assert sorted(seen) == ["red-1", "red-2", "red-3"], order


def test_prompts_are_asked_for_by_the_value(two_teams):
    red, _ = two_teams
    set_tag(
        actor=red,
        target=RegisteredModel.objects.get(name="red-2"),
        key="mlflow.prompt.is_prompt",
        value="true",
    )
    for _ in range(2):
        assert found(MODELS, red)[0] == ["red-1", "red-3"]
        assert found(MODELS, red, "tags.`mlflow.prompt.is_prompt` = 'true'")[0] == ["red-2"]
        assert found(MODELS, red, "tags.`mlflow.prompt.is_prompt` = 'false'")[0] == ["red-1", "red-3"]


def test_what_was_changed_or_taken_away_since_is_seen_at_once(two_teams, actor):
    from accounts.models import Account
    from registry.access.models import ModelAccountGrant

    red, _ = two_teams
    assert found(MODELS, red, "name LIKE 'red-%'")[0] == ["red-1", "red-2", "red-3"]
    rename_model(actor=red, model=RegisteredModel.objects.get(name="red-1"), new_name="red-9")
    ModelAccountGrant.objects.filter(content_object__name="red-2").delete()
    again = actor(Account.objects.get(username="red"))
    assert found(MODELS, again, "name LIKE 'red-%'")[0] == ["red-3", "red-9"]
    assert found(MODELS, again)[0] == ["red-3", "red-9"]
    assert found(VERSIONS, again, "name = 'red-2'")[0] == []


def test_a_prepared_search_is_ended_in_time_and_leaves_no_limit_behind(two_teams, settings, test_database):
    red, _ = two_teams
    found(MODELS, red)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        before = cursor.fetchone()
    settings.REGISTRY_SEARCH_SECONDS = 0.2
    with superuser(test_database.name) as other, other.transaction():
        other.execute("LOCK TABLE registry_modeltag IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Invalid, match="longer than"):
            found(MODELS, red)
    assert found(MODELS, red)[0] == ["red-1", "red-2", "red-3"]
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == before
