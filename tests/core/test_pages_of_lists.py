"""``?limit=``, ``?cursor=`` and ``?sort=`` of every list: what cannot be meant is refused by name."""

import base64
from urllib.parse import parse_qsl

import pytest
from django.core import signing

from audit.models import Event

pytestmark = pytest.mark.django_db
LISTS = (
    "models", "datasets", "pipelines", "evaluations", "policies", "promotion-requests", "endpoints",
    "deployments", "alert-rules", "alerts", "incidents", "price-rules", "cost-entries", "jobs",
    "audit/events", "audit/exports",
)  # fmt: skip


def position(text):
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def machine(auditor, token_client):
    return token_client(auditor)


def refusal(answer, asked):
    assert answer.status_code == 400, (asked, answer.content)
    [error] = answer.json()["errors"]
    return error["pointer"], error["allowed"]


def test_what_cannot_be_meant_names_its_parameter(machine):
    for address in LISTS:
        assert machine.get(f"/api/v1/{address}?limit=200").status_code == 200, address
        for asked in ("limit=x", "sort=nonsense", "cursor=zzz"):
            pointer, allowed = refusal(machine.get(f"/api/v1/{address}?{asked}"), (address, asked))
            assert (pointer, bool(allowed)) == (f"/{asked.partition('=')[0]}", True)


def test_a_limit_is_a_number_in_its_range(machine):
    for limit in ("0", "-1", "201", "1000000000", "1.5", "1e2", "٣", "\x00", " 5", ""):
        assert refusal(machine.get("/api/v1/jobs", {"limit": limit}), limit) == ("/limit", "1 to 200")


def signed(*said):
    return signing.dumps(list(said), salt="core.api.cursor")


def cursor_of(address):
    return dict(parse_qsl(address.partition("?")[2]))["cursor"]


def test_a_position_is_signed_with_the_list_it_is_in(machine):
    assert Event.objects.count() >= 2
    following = machine.get("/api/v1/audit/events?limit=1").json()["next"]
    cursor = cursor_of(following)
    assert machine.get(following).status_code == 200
    # How much of it at once may change on the way.
    assert machine.get("/api/v1/audit/events", {"cursor": cursor, "limit": "2"}).status_code == 200
    for other in ("audit/events?outcome=ok", "audit/exports", "models"):
        mark = "&" if "?" in other else "?"
        answer = machine.get(f"/api/v1/{other}{mark}cursor={cursor}")
        assert refusal(answer, other)[0] == "/cursor"
    head, tail = cursor[:-1], "A" if cursor[-1] != "A" else "B"
    said = signing.loads(cursor, salt="core.api.cursor")
    forged = signing.dumps([*said[:-1], "2000-01-01"], salt="another", key="guessed")
    for bad in (head, head + tail, "x" + cursor, forged, signed("no list", 0, False, said[-1])):
        assert refusal(machine.get("/api/v1/audit/events", {"cursor": bad}), bad)[0] == "/cursor"


def test_a_position_is_one_that_a_page_gave(machine):
    dates = position("p=9999-99-99"), position("p=1"), position("p=a\x00"), position("p=2013-04-01&o=1")[:-2]
    offsets = position("o=x"), position("o=-1"), position("surprise=1")
    for cursor in (*dates, *offsets, "\x00", "💥", "%"):
        pointer, _ = refusal(machine.get("/api/v1/jobs", {"cursor": cursor}), cursor)
        assert pointer == "/cursor"


def test_the_order_a_list_has_may_be_named_and_its_pages_follow(machine, auditor):
    assert Event.objects.count() >= 2
    first = machine.get("/api/v1/audit/events?sort=-id&limit=1").json()
    second = machine.get(first["next"]).json()
    assert first["items"][0]["id"] > second["items"][0]["id"]
    assert machine.get(second["previous"]).json()["items"] == first["items"]
