"""Searching, ordering and paging over what the caller may see."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from registry.models import ModelVersion, RegisteredModel, VersionTag

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(surface, scientist):
    mine = surface(scientist)
    for index, name in enumerate(["alpha", "beta", "Gamma", "delta_1", "100%"]):
        tags = [{"key": "team", "value": "ops" if index % 2 else "dev"}, {"key": "n o", "value": str(index)}]
        mine.post("registered-models/create", name=name, tags=tags)
    return mine


@pytest.fixture
def versions(mine):
    """Versions of alpha and beta, as rows: searching does not need their files."""
    made = []
    for name, count in (("alpha", 5), ("beta", 2)):
        model = RegisteredModel.objects.get(name=name)
        for number in range(1, count + 1):
            version = ModelVersion.objects.create(
                model=model, number=number, run_id=f"run{number}", source=f"runs:/run{number}/model"
            )
            VersionTag.objects.create(version=version, key="odd", value=str(number % 2))
            made.append(version)
    return made


def names(answer):
    status, body = answer
    assert status == 200, body
    return [each["name"] for each in body["registered_models"]]


def numbers(answer):
    status, body = answer
    assert status == 200, body
    return [(each["name"], int(each["version"])) for each in body["model_versions"]]


MODELS_THAT_A_FILTER_FINDS = [
    ("", ["100%", "Gamma", "alpha", "beta", "delta_1"]),
    ("name = 'alpha'", ["alpha"]),
    ("name != 'alpha'", ["100%", "Gamma", "beta", "delta_1"]),
    ("name LIKE '%a'", ["Gamma", "alpha", "beta"]),
    ("name LIKE 'g%'", []),
    ("name ILIKE 'g%'", ["Gamma"]),
    ("name LIKE 'delta_1'", ["delta_1"]),
    ("name LIKE '%\\%'", []),
    ("name LIKE '\\'", []),
    ("name IN ('alpha', 'nope')", ["alpha"]),
    ("name NOT IN ('alpha', 'beta')", ["100%", "Gamma", "delta_1"]),
    ("tags.team = 'ops'", ["beta", "delta_1"]),
    ("tag.team != 'ops'", ["100%", "Gamma", "alpha"]),
    ("tags.team != 'nobody' AND name LIKE 'a%'", ["alpha"]),
    ("tags.team LIKE 'd%' AND name = 'alpha'", ["alpha"]),
    ("tags.`n o` = '3'", ["delta_1"]),
    ("tags.missing != 'x'", []),
    ("tags.`mlflow.prompt.is_prompt` != 'true' AND name = 'alpha'", ["alpha"]),
    ("tags.`mlflow.prompt.is_prompt` = 'true'", []),
]  # fmt: skip


def test_models_that_a_filter_finds(mine, subtests):
    for text, expected in MODELS_THAT_A_FILTER_FINDS:
        with subtests.test(text=str(text)[:100]):
            assert names(mine.get("registered-models/search", filter=text)) == expected


def test_prompts_are_not_models_unless_asked_for(mine):
    mine.post(
        "registered-models/create", name="ask", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    )
    assert "ask" not in names(mine.get("registered-models/search"))
    assert names(mine.get("registered-models/search", filter="tags.`mlflow.prompt.is_prompt` = 'true'")) == [
        "ask"
    ]


FILTERS_THAT_ARE_400 = [
    "description = 'a'", "creation_timestamp > 1", "last_updated_timestamp > 1", "status = 'READY'", "current_stage = 'None'",
    "aliases = 'a'", "name = 1", "name > 'a'", "tags.team IN ('a')", "tags.team = 1", "name = 'a' OR name = 'b'", "name == 'a'", "name = 'a';",
    "name = 'a' UNION SELECT 1", "name = 'a'--", "version_number = 1", "run_id = 'a'", "source_path IN ('a')",
]  # fmt: skip


def test_filters_that_are_400(mine, subtests):
    for text in FILTERS_THAT_ARE_400:
        with subtests.test(text=str(text)[:100]):
            status, body = mine.get("registered-models/search", filter=text)
            assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
            assert body["message"].startswith("The filter ")


ORDERS = [
    (["name"], ["100%", "Gamma", "alpha", "beta", "delta_1"]),
    (["name DESC"], ["delta_1", "beta", "alpha", "Gamma", "100%"]),
    (["timestamp"], ["alpha", "beta", "Gamma", "delta_1", "100%"]),
    (["creation_timestamp DESC"], ["100%", "delta_1", "Gamma", "beta", "alpha"]),
    (["attribute.`last_updated_timestamp` desc"], ["100%", "delta_1", "Gamma", "beta", "alpha"]),
    (["last_updated_timestamp ASC", "name DESC"], ["alpha", "beta", "Gamma", "delta_1", "100%"]),
]  # fmt: skip


def test_orders(mine, subtests):
    for order, expected in ORDERS:
        with subtests.test(order=str(order)[:100]):
            for index, name in enumerate(["alpha", "beta", "Gamma", "delta_1", "100%"]):
                moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=index)
                RegisteredModel.objects.filter(name=name).update(created_at=moment, last_updated_at=moment)
            assert names(mine.get("registered-models/search", order_by=order)) == expected
            walked, token = [], ""
            while True:
                status, body = mine.get(
                    "registered-models/search", order_by=order, max_results=2, page_token=token
                )
                assert status == 200, body
                walked += [each["name"] for each in body["registered_models"]]
                token = body.get("next_page_token", "")
                if not token:
                    break
            assert walked == expected


ORDERS_THAT_ARE_400 = [
    "description",
    "name;",
    "name, timestamp",
    "name DESC NULLS LAST",
    "",
    "1",
    "name -- x",
    "name asc desc",
]


def test_orders_that_are_400(mine, subtests):
    for order in ORDERS_THAT_ARE_400:
        with subtests.test(order=str(order)[:100]):
            status, body = mine.get("registered-models/search", order_by=order)
            assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_a_field_named_twice_in_the_order_is_400_and_not_500(mine):
    for twice in (["name", "name DESC"], ["timestamp", "creation_timestamp"]):
        assert mine.get("registered-models/search", order_by=twice)[0] == 400


PAGE_SIZES = [("1", 200), ("1000", 200), ("1001", 400), ("0", 400), ("-1", 400), ("x", 400), ("1e3", 400), ("99999999999999999999", 400), ("", 200)]  # fmt: skip


def test_page_sizes(mine, subtests):
    for asked, status in PAGE_SIZES:
        with subtests.test(asked=str(asked)[:100]):
            assert mine.get("registered-models/search", max_results=asked)[0] == status


def test_page_tokens_are_ours_and_of_one_search(mine):
    token = mine.get("registered-models/search", max_results=2)[1]["next_page_token"]
    middle = len(token) // 2
    forged = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    for bad in (
        forged,
        token + "x",
        "x",
        "bmFtZQ==",
        "\ud800x".encode("utf-8", "replace").decode(),
        token[:-1],
    ):
        status, body = mine.get("registered-models/search", max_results=2, page_token=bad)
        assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), bad
    assert mine.get("registered-models/search", page_token=token, filter="name != 'x'")[0] == 400
    assert mine.get("registered-models/search", page_token=token, order_by="name DESC")[0] == 400
    assert mine.get("model-versions/search", page_token=token)[0] == 400


VERSIONS_THAT_A_FILTER_FINDS = [
    ("name = 'beta'", [("beta", 2), ("beta", 1)]),
    ("name='alpha' AND version_number > 3", [("alpha", 5), ("alpha", 4)]),
    ("version_number = 5", [("alpha", 5)]),
    ("version_number != 1 and name='beta'", [("beta", 2)]),
    ("version_number < 99999999999999999", 7),
    ("version_number > -99999999999999999", 7),
    ("run_id = 'run2'", [("alpha", 2), ("beta", 2)]),
    ("run_id IN ('run2', 'run5')", [("alpha", 5), ("alpha", 2), ("beta", 2)]),
    ("source_path LIKE '%run4%'", [("alpha", 4)]),
    ("tags.odd = '1' AND name = 'alpha'", [("alpha", 5), ("alpha", 3), ("alpha", 1)]),
]  # fmt: skip


def test_versions_that_a_filter_finds(mine, versions, subtests):
    for text, expected in VERSIONS_THAT_A_FILTER_FINDS:
        with subtests.test(text=str(text)[:100]):
            found = numbers(
                mine.get("model-versions/search", filter=text, order_by=["name", "version_number DESC"])
            )
            assert (len(found) if isinstance(expected, int) else found) == expected


def test_versions_come_newest_first_and_page_by_page(mine, versions):
    # At equal moments names ascending and versions descending decide.
    ModelVersion.objects.update(last_updated_at="2026-01-01T00:00:00Z")
    whole = numbers(mine.get("model-versions/search"))
    assert whole == [
        ("alpha", 5),
        ("alpha", 4),
        ("alpha", 3),
        ("alpha", 2),
        ("alpha", 1),
        ("beta", 2),
        ("beta", 1),
    ]
    walked, token = [], ""
    for _ in range(4):
        status, body = mine.get("model-versions/search", max_results=2, page_token=token)
        assert status == 200
        walked += [(each["name"], int(each["version"])) for each in body["model_versions"]]
        token = body.get("next_page_token", "")
    assert walked == whole
    assert not token


def test_as_many_statements_for_a_dozen_as_for_one(mine, versions, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    mine.get("registered-models/search")  # how many grants somebody holds is asked once a minute
    for size in (1, 12):
        with CaptureQueriesContext(connection) as queries:
            mine.get("model-versions/search", max_results=size)
            mine.get("registered-models/search", max_results=size)
        counts.append(len(queries))
    assert counts[0] == counts[1]


BODIES_THAT_ARE_400_AND_NEVER_500 = [
    b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b'{"name": NaN}', b'{"name": 1e400}', b'{"name": "a", "name": "b"}', b'{"name": "\\u0000"}', b'{"name": "\\ud800"}',
    b'{"a": ' * 200_000, b'{"tags": {"a": 1}, "name": "x"}', b'{"tags": [1], "name": "x"}', b'{"tags": [{"key": 1}], "name": "x"}', b'{"tags": "x", "name": "x"}',
    b'{"tags": [{"key": "a", "value": "\\u0000"}], "name": "x"}', b'{"description": 7, "name": "x"}', b'{"description": "\\udfff", "name": "x"}',
]  # fmt: skip


def test_bodies_that_are_400_and_never_500(mine, subtests):
    for raw in BODIES_THAT_ARE_400_AND_NEVER_500:
        with subtests.test(raw=str(raw)[:100]):
            before = RegisteredModel.objects.count()
            status, body = mine.send("POST", "registered-models/create", raw)
            assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
            assert RegisteredModel.objects.count() == before
            assert "recursion" not in body["message"]


def test_what_is_no_number_in_a_body_is_named(mine):
    for word in (b"NaN", b"-Infinity", b"1e400"):
        status, body = mine.send("POST", "registered-models/create", b'{"tags": [{"key": %s}]}' % word)
        assert (status, body["field"]) == (400, "tags[0].key"), body


QUERIES_THAT_ARE_400_OR_404_AND_NEVER_500 = [
    "name=%00",
    "name=%ff",
    "name=%ed%a0%80",
    "name=a&name=b",
    "name",
    "",
    "name=" + "x" * 5000,
]


def test_queries_that_are_400_or_404_and_never_500(token_client, mine, scientist, subtests):
    for query in QUERIES_THAT_ARE_400_OR_404_AND_NEVER_500:
        with subtests.test(query=str(query)[:100]):
            answer = token_client(scientist).get(f"/api/2.0/mlflow/registered-models/get?{query}")
            assert answer.status_code in {400, 404}
            assert json.loads(answer.content)["error_code"] in {
                "INVALID_PARAMETER_VALUE",
                "RESOURCE_DOES_NOT_EXIST",
            }


INJECTIONS_FIND_NOTHING_AND_BREAK_NOTHING = [
    "' OR 1=1 --",
    "name = '' OR ''=''",
    "name LIKE '%' ESCAPE ''",
    "pg_sleep(5)",
    "name = 'a' AND (SELECT 1) = 1",
    "tags.`a` = 'x') OR (1=1",
]


def test_injections_find_nothing_and_break_nothing(mine, subtests):
    for text in INJECTIONS_FIND_NOTHING_AND_BREAK_NOTHING:
        with subtests.test(text=str(text)[:100]):
            status, body = mine.get(f"registered-models/search?filter={quote(text)}&x=")
            assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
