"""Too many requests are answered 429 at the door, by account and by address, in the caller's words."""

import http.client
import json
import time

import pytest

from accounts.actors import actor_for
from accounts.services import issue_token
from controlplane.edge.configuration import Configuration
from controlplane.edge.limits import place_of
from controlplane.edge.rates import Pace, Rate
from controlplane.stack.places import free_port
from controlplane.stack.processes import server


def test_a_pace_lets_a_burst_through_and_then_so_many_a_second():
    now = [100.0]
    pace = Pace(Rate(per_second=10, burst=5), lambda: now[0])
    assert [pace.wait_of("a", 1) for _ in range(5)] == [0.0] * 5
    assert pace.wait_of("a", 1) == pytest.approx(0.1)
    assert pace.wait_of("a", 1) == pytest.approx(0.1), "a refused request costs nothing"
    assert pace.wait_of("b", 1) == 0.0, "others are not concerned"
    now[0] += 0.1
    assert (pace.wait_of("a", 1), pace.wait_of("a", 0.2) > 0) == (0.0, True)
    now[0] += 60
    assert [pace.wait_of("a", 0.5) for _ in range(10)] == [0.0] * 10, "cheap ones count for less"
    assert pace.wait_of("a", 0.5) > 0
    assert [Pace(Rate(0, 1)).wait_of("a", 1) for _ in range(100)] == [0.0] * 100
    pace.charge("c", 3)
    assert [pace.wait_of("c", 1) == 0 for _ in range(3)] == [True, True, False], "what was charged counts"
    pace.charge("c", 1000)
    now[0] += 0.5
    assert pace.wait_of("c", 5) == 0.0, "never more than the burst is owed"


def test_a_pace_forgets_who_asks_no_more(monkeypatch):
    from controlplane.edge import rates

    monkeypatch.setattr(rates, "MOST_CALLERS", 3)
    now = [0.0]
    pace = Pace(Rate(1, 1), lambda: now[0])
    for caller in "abcdefgh":
        assert pace.wait_of(caller, 1) == 0.0
        now[0] += 2
    assert len(pace._due) <= 3


def test_addresses_of_one_household_count_together():
    assert place_of("2001:db8:1:2::a") == place_of("2001:db8:1:2:ffff::b") != place_of("2001:db8:1:3::a")
    assert [place_of(each) for each in ("192.0.2.7", "", "unix")] == ["192.0.2.7", "", "unix"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACCOUNT_REQUESTS_PER_SECOND", "many"),
        ("ANONYMOUS_REQUESTS_BURST", "0"),
        ("ACCOUNT_REQUESTS_PER_SECOND", "-1"),
    ],
)
def test_a_limit_that_is_none_is_refused_by_name(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=f"{name} must be a number"):
        Configuration.from_environment()


@pytest.fixture
def narrow(processes):
    """Another edge before the same web, which lets little through: a burst of six, of three for strangers."""
    port, before = free_port(), len(processes.children)
    limits = {
        "ACCOUNT_REQUESTS_PER_SECOND": "0.2",
        "ACCOUNT_REQUESTS_BURST": "6",
        "ANONYMOUS_REQUESTS_PER_SECOND": "0.2",
        "ANONYMOUS_REQUESTS_BURST": "3",
    }
    processes._run("narrow-edge", server("controlplane.edge:app", "asgi", port=port), **limits)
    deadline = time.monotonic() + 60
    while ask(port, "/healthz")[0] != 200:
        assert time.monotonic() < deadline, processes.log("narrow-edge")[-2000:]
        time.sleep(0.05)
    yield port
    [child] = processes.children[before:]
    child.terminate()
    child.wait(15)
    processes.children.remove(child)


def ask(port, path, secret=None, method="GET", body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(
            method, path, body, headers={"Authorization": f"Bearer {secret}"} if secret else {}
        )
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    except OSError:
        return 0, {}, b""
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_who_asks_too_often_is_told_when_to_come_back(narrow, scientist, reviewer):
    by = actor_for(scientist)
    tokens = [issue_token(actor=by, account=scientist, name=name, scopes=["all"])[1] for name in ("a", "b")]
    _, other = issue_token(actor=actor_for(reviewer), account=reviewer, name="c", scopes=["all"])
    # The first request of a token counts for the address; what it answers says whose it is.
    assert [ask(narrow, "/api/v1/me", secret)[0] for secret in (*tokens, other)] == [200] * 3
    status, headers, body = ask(narrow, "/api/v1/me", "cp_guessed")
    problem = json.loads(body)
    assert (status, headers["content-type"]) == (429, "application/problem+json")
    assert (problem["status"], problem["code"]) == (429, "request_limit_exceeded")
    assert 1 <= int(headers["retry-after"]) <= 5
    assert ask(narrow, "/accounts/login/")[0] == 429, "so are people who are not signed in"
    assert ask(narrow, "/healthz")[0] == 200, "whoever watches is not limited"
    # Both tokens draw on one account.
    answers = [ask(narrow, "/api/v1/me", tokens[turn % 2]) for turn in range(7)]
    assert [status for status, _, _ in answers] == [200] * 6 + [429]
    assert not [name for _, sent, _ in answers for name in sent if name.lower().startswith("x-controlplane")]
    status, headers, body = ask(narrow, "/api/2.0/mlflow/registered-models/search", tokens[0])
    assert (status, json.loads(body)["error_code"]) == (429, "REQUEST_LIMIT_EXCEEDED")
    assert "at most 0.2 a second for an account" in json.loads(body)["message"]
    assert ask(narrow, "/api/v1/me", other)[0] == 200, "another account goes on"
    delete = "/api/2.0/mlflow/registered-models/delete"
    refused = [ask(narrow, delete, other, "DELETE", b'{"name": "unseen"}')[0] for _ in range(2)]
    assert refused == [404, 429], "a refused change is an event, and costs as much as many requests"
