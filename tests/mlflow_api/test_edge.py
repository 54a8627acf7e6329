"""Port 8000: what passes, what is closed, and that slow or broken clients hurt nobody."""

import http.client
import json
import os
import socket
import time
import uuid

import pytest

pytestmark = pytest.mark.django_db(transaction=True)

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
EVIL_PATHS = [
    "..", "../", "../x", "../../etc/passwd", "a/../../x", "a/..", "./x", "a/./x", "%2e%2e/x", "%2E%2E%2Fx", "..%2fx", "..%2Fx", "%252e%252e/x",
    "%252e%252e%252fx", "%25252e%25252e%25252fx", "..%5cx", "..\\x", "a\\b", "a%5Cb", "%5c%5cserver%5cshare", "%2fetc%2fpasswd", "//etc/passwd", "/etc/passwd",
    "C:/x", "c%3a/x", "C:%5Cx", "~root/x", "%7e/x", "a%00b", "%00", "a%0ab", "a%0d%0ab", "a%e2%80%aeb", "a%e2%80%8bb", "%c0%ae%c0%ae/x", "%ff%fe", "a//b",
    "%ef%bc%8e%ef%bc%8e/x", "%e2%80%a5/x", "x" * 256, "x/" * 1500 + "x", "..;/x/../..",
]  # fmt: skip


@pytest.fixture
def a_run(ask, token, scientist):
    """A run of the scientist in the shared experiment: its id and the token that made it."""
    secret = token(scientist)
    status, _, body = ask(
        "POST",
        "/api/2.0/mlflow/runs/create",
        {"experiment_id": "0", "start_time": 1},
        Authorization=f"Bearer {secret}",
    )
    assert status == 200, body
    return json.loads(body)["run"]["info"]["run_id"], secret


def test_anonymous_calls_are_refused_before_anything_is_looked_up(ask):
    for method, path in (
        ("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0"),
        ("POST", "/api/2.0/mlflow/runs/search"),
        ("GET", "/api/3.0/mlflow/server-info"),
        ("GET", f"{ARTIFACTS}?path=0/x/artifacts"),
        ("PUT", f"{ARTIFACTS}/0/x/artifacts/y"),
        ("GET", "/ajax-api/2.0/mlflow/registered-models/search"),
        ("GET", "/api/2.0/mlflow/nothing/of/that/name"),
    ):
        status, headers, body = ask(method, path)
        assert (status, json.loads(body)["error_code"]) == (401, "UNAUTHENTICATED"), path
        assert headers["www-authenticate"].startswith("Bearer")
    for odd in ("Bearer cp_x", "Basic \xff\xff", "Basic /w==", "Basic", "Bearer \xe9"):
        for path in ("experiments/get?experiment_id=0", "registered-models/get?name=delays"):
            assert ask("GET", f"/api/2.0/mlflow/{path}", Authorization=odd)[0] == 401, odd


def test_the_private_parts_of_mlflows_app_are_closed(ask, token, scientist):
    secret = token(scientist)
    for method, path in (
        ("POST", "/graphql"),
        ("GET", "/graphql"),
        ("GET", "/model-versions/get-artifact?name=a&version=1&path=x"),
        ("GET", "/get-artifact?path=x&run_uuid=y"),
        ("GET", "/static-files/index.html"),
        ("GET", "/version"),
        ("GET", "/api/3.0/mlflow/webhooks"),
        ("POST", "/api/2.0/mlflow/webhooks/x/y/z"),
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=x&path=y"),
        ("POST", "/ajax-api/2.0/mlflow/gateway-proxy"),
        ("GET", "/ajax-api/3.0/mlflow/jobs/1"),
        ("POST", "/ajax-api/3.0/mlflow/genai/evaluate/invoke"),
        ("POST", "/api/3.0/mlflow/gateway/secrets/create"),
        ("POST", "/api/3.0/mlflow/scorers/register"),
        ("POST", "/api/3.0/mlflow/prompt-optimization/jobs"),
        ("POST", "/api/2.0/mlflow/traces"),
        ("POST", "/api/2.0/mlflow/artifacts/presigned-upload-url"),
        ("GET", f"{ARTIFACTS.replace('artifacts/artifacts', 'artifacts/presigned')}/0/x/artifacts/y"),
        ("POST", "/api/2.0/mlflow-artifacts/mpu/create/0/x/artifacts/y"),
        ("GET", "//api/2.0/mlflow/experiments/get?experiment_id=0"),
        ("GET", "/API/2.0/mlflow/experiments/get?experiment_id=0"),
        ("GET", "/api/2.0/mlflow/x/../experiments/get?experiment_id=0"),
        ("POST", "/internal/tracking/decide"),
        ("POST", "/%69nternal/tracking/decide"),
    ):
        status, _, body = ask(
            method, path, {} if method == "POST" else None, Authorization=f"Bearer {secret}"
        )
        assert status in {404, 403, 302, 405, 501}, (method, path, status, body[:200])


ODD_TRACES = [
    {}, {"trace": 1}, {"trace": {"trace_info": {}}}, {"trace": {"traceInfo": {}}}, {"trace": {"trace_info": {"trace_id": "tr-1", "trace_location": {"mlflow_experiment": {"experiment_id": "x"}}}}},
    {"trace": {"trace_info": {"trace_id": "../x", "trace_location": {"mlflow_experiment": {"experiment_id": "0"}}}}}, {"trace": {"trace_info": {"trace_id": "tr-1", "traceId": "tr-2", "trace_location": {"mlflow_experiment": {"experiment_id": "0"}}}}},
    {"trace": {"trace_info": {"trace_id": "tr-1", "tags": {"controlplane.owner": "me"}, "trace_location": {"mlflow_experiment": {"experiment_id": "0"}}}}}, {"trace": {"trace_info": {"trace_id": "tr-1", "tags": [], "trace_location": {"mlflow_experiment": {"experiment_id": "0"}}}}},
]  # fmt: skip


def test_traces_that_are_none_and_ids_of_others_are_400(ask, token, scientist, make_account):
    secret, path = token(scientist), "/api/3.0/mlflow/traces"
    for odd in ODD_TRACES:
        status, _, body = ask("POST", path, odd, Authorization=f"Bearer {secret}")
        assert (status, json.loads(body)["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), odd
    about = {"trace_id": f"tr-{uuid.uuid4().hex}", "request_time": "2026-01-01T00:00:00Z", "state": "OK"}
    place = {"trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}}
    whole = {"trace": {"trace_info": {**about, **place, "tags": {"ownWord": "yes"}}}}
    status, _, body = ask("POST", path, whole, Authorization=f"Bearer {secret}")
    assert status == 200, body
    assert json.loads(body)["trace"]["trace_info"]["tags"]["ownWord"] == "yes"
    other = token(make_account("colleague", "data-scientist"))
    status, _, body = ask("POST", path, whole, Authorization=f"Bearer {other}")
    assert (status, json.loads(body)["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    one = f"{path}/{about['trace_id']}"
    assert ask("GET", one, Authorization=f"Bearer {secret}")[0] == 200
    assert ask("GET", one, Authorization=f"Bearer {other}")[0] == 404
    kept = f"{ARTIFACTS}/0/traces/{about['trace_id']}/artifacts/traces.json"
    assert ask("PUT", kept, b"{}", Authorization=f"Bearer {other}")[0] == 404
    assert ask("PUT", kept, b"{}", Authorization=f"Bearer {secret}")[0] == 200
    assert ask("GET", kept, Authorization=f"Bearer {other}")[0] == 404
    assert ask("GET", kept, Authorization=f"Bearer {secret}")[2] == b"{}"


def test_the_tracking_server_answers_only_who_knows_the_secret(installation):
    from tests.mlflow_api.processes import UnixConnection

    for headers in ({}, {"X-Controlplane-Tracking-Secret": "wrong"}):
        connection = UnixConnection(str(installation.socket("tracking")))
        connection.request("GET", "/api/2.0/mlflow/experiments/search?max_results=1", headers=headers)
        assert connection.getresponse().status == 403
        connection.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_evil_artifact_paths_are_400_and_touch_nothing(ask, a_run, installation, method):
    run_id, secret = a_run
    root = installation.artifacts / "mlflow"
    before = sorted(str(each) for each in root.rglob("*"))
    for evil in EVIL_PATHS:
        body = b"x" if method == "PUT" else None
        status, _, answer = ask(
            method, f"{ARTIFACTS}/0/{run_id}/artifacts/{evil}", body, Authorization=f"Bearer {secret}"
        )
        assert status == 400, (evil, status, answer[:200])
        if method == "GET":
            assert (
                ask("GET", f"{ARTIFACTS}?path=0/{run_id}/artifacts/{evil}", Authorization=f"Bearer {secret}")[
                    0
                ]
                == 400
            ), evil
    assert sorted(str(each) for each in root.rglob("*")) == before


def test_artifacts_are_only_reached_through_their_owner(ask, a_run, token, make_account, scientist):
    run_id, secret = a_run
    other = token(make_account("colleague", "data-scientist"))
    address = f"{ARTIFACTS}/0/{run_id}/artifacts/notes.txt"
    assert ask("PUT", address, b"mine", Authorization=f"Bearer {secret}")[0] == 200
    status, headers, body = ask("GET", address, Authorization=f"Bearer {secret}")
    assert (status, body) == (200, b"mine")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"].startswith("attachment")
    assert "sandbox" in headers["content-security-policy"]
    for method, body in (("GET", None), ("PUT", b"theirs"), ("DELETE", None)):
        assert ask(method, address, body, Authorization=f"Bearer {other}")[0] == 404
    for path in (
        "0",
        "",
        f"0/{run_id}",
        "0/models",
        f"1/{run_id}/artifacts",
        f"0/{run_id}/traces",
        f"0/{uuid.uuid4().hex}/artifacts",
    ):
        assert ask("GET", f"{ARTIFACTS}?path={path}", Authorization=f"Bearer {secret}")[0] == 404, path
    assert ask("PUT", f"{ARTIFACTS}/1/{run_id}/artifacts/x", b"x", Authorization=f"Bearer {secret}")[0] == 404
    assert ask("PUT", f"{ARTIFACTS}/0/{run_id}/artifacts", b"x", Authorization=f"Bearer {secret}")[0] == 400


BAD_BODIES = [
    b"{", b"[]", b"7", b'{"run_id": NaN}', b'{"run_id": "a\\u0000"}', b'{"key": "\\ud800", "run_id": "RUN"}', b'{"run_id": "RUN", "run_uuid": "other"}',
    b'{"run_id": "RUN", "runId": "other"}', b'{"a":' * 100_000, b'{"run_id": {}}', b'{"run_id": ["RUN", 7]}', b'{"experiment_id": "0; drop", "run_id": "RUN"}',
    b'{"run_id": "RUN", "key": "controlplane.owner", "value": "me"}', b'{"run_id": "RUN", "value": 1e999}', b"\xff", b'{"run_id": "RUN", "step": 99999999999999999999}',
    b'"{\\"run_id\\": \\"a\\u0000\\"}"',
]  # fmt: skip


def test_bad_tracking_bodies_are_400_and_never_500(ask, a_run):
    run_id, secret = a_run
    for call in ("runs/set-tag", "runs/log-metric", "runs/log-batch", "runs/create", "experiments/create"):
        for body in BAD_BODIES:
            raw = body.replace(b"RUN", run_id.encode())
            status, _, answer = ask(
                "POST",
                f"/api/2.0/mlflow/{call}",
                raw,
                Authorization=f"Bearer {secret}",
                Content_Type="application/json",
            )
            assert status in {400, 404}, (call, body[:80], status, answer[:300])
            assert json.loads(answer)["error_code"]
            assert b"recursion" not in answer
            if b"NaN" in body:
                assert "run_id is" in json.loads(answer)["message"]


def test_ownership_cannot_be_claimed_or_dodged(ask, a_run, token, make_account, scientist):
    run_id, secret = a_run
    colleague = make_account("colleague", "data-scientist")
    theirs = {"Authorization": f"Bearer {token(colleague)}", "Content_Type": "application/json"}
    mine = {"Authorization": f"Bearer {secret}", "Content_Type": "application/json"}
    claim = [{"key": "controlplane.owner", "value": str(colleague.person_id)}]
    api = "/api/2.0/mlflow"
    assert ask("POST", f"{api}/runs/create", {"experiment_id": "0", "tags": claim}, **theirs)[0] == 400
    assert (
        ask("POST", f"{api}/runs/delete-tag", {"run_id": run_id, "key": "controlplane.owner"}, **mine)[0]
        == 400
    )
    assert (
        ask("POST", f"{api}/experiments/create", {"name": "x", "artifact_location": "file:///etc"}, **theirs)[
            0
        ]
        == 400
    )
    assert (
        ask("POST", f"{api}/experiments/create", {"name": "x", "artifactLocation": "file:///etc"}, **theirs)[
            0
        ]
        == 400
    )
    assert (
        ask("POST", f"{api}/experiments/update", {"experiment_id": "0", "new_name": "mine"}, **theirs)[0]
        == 403
    )
    # Whose experiment of a name it is, and which number it has, is nobody else's business.
    assert ask("POST", f"{api}/experiments/create", {"name": "mine"}, **mine)[0] == 200
    named = f"{api}/experiments/get-by-name?experiment_name="
    hidden, absent = (ask("GET", f"{named}{name}", **theirs) for name in ("mine", "none"))
    assert hidden[0] == absent[0] == 404
    assert json.loads(hidden[2])["message"].replace("mine", "none") == json.loads(absent[2])["message"]
    status, _, taken = ask("POST", f"{api}/experiments/create", {"name": "mine"}, **mine)
    assert (status, json.loads(taken)["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    assert b"SQL" not in taken
    own = json.loads(ask("POST", f"{api}/runs/create", {"experiment_id": "0", "start_time": 1}, **theirs)[2])[
        "run"
    ]["info"]["run_id"]
    # Each way of naming another's run beside one's own.
    for call, body in (
        ("runs/set-tag", {"runUuid": run_id, "key": "a", "value": "b"}),
        (
            "runs/log-batch",
            {"run_id": own, "metrics": [{"key": "m", "value": 1, "timestamp": 1, "run_id": run_id}]},
        ),
        ("logged-models", {"experiment_id": "0", "name": "m", "source_run_id": run_id}),
    ):
        assert ask("POST", f"{api}/{call}", body, **theirs)[0] == 404, call
    legacy = json.dumps(json.dumps({"run_id": run_id, "key": "a", "value": "b"})).encode()
    assert ask("POST", f"{api}/runs/set-tag", legacy, **theirs)[0] == 404
    found = json.loads(ask("POST", f"{api}/runs/search", {"experiment_ids": ["0"]}, **theirs)[2])
    assert [each["info"]["run_id"] for each in found["runs"]] == [own]
    for evil in (
        "x' OR '1'='1",
        "tags.a = 'b' OR tags.a = 'c'",
        "; select 1",
        "-- ",
        "/*",
        "tags.`controlplane.owner` LIKE '%'",
        "' AND '",
        "`",
    ):
        status, _, answer = ask(
            "POST", f"{api}/runs/search", {"experiment_ids": ["0"], "filter": evil}, **theirs
        )
        assert status in {200, 400}, (evil, answer[:200])
        assert run_id not in answer.decode()


def test_refusals_become_events(ask, a_run, token, make_account, reviewer):
    from django.db import connection

    run_id, _ = a_run
    body = {"run_id": run_id, "key": "a", "value": "b"}
    ask(
        "POST",
        "/api/2.0/mlflow/runs/set-tag",
        body,
        Authorization=f"Bearer {token(make_account('colleague', 'data-scientist'))}",
    )
    ask("POST", "/api/2.0/mlflow/runs/set-tag", body, Authorization=f"Bearer {token(reviewer)}")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT body FROM audit.event WHERE body::jsonb->>'action' = 'tracking.refused' ORDER BY id"
        )
        events = [json.loads(row[0]) for row in cursor.fetchall()]
    assert [each["outcome"] for each in events] == ["denied", "denied"]
    assert run_id in json.dumps(events[0])
    absent = "0" * 32
    hidden = token(make_account("stranger-to-all"))
    for name in (run_id, absent):
        answer = ask("GET", f"/api/2.0/mlflow/runs/get?run_id={name}", Authorization=f"Bearer {hidden}")
        assert answer[0] == 404
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit.event WHERE body::jsonb->>'action' = 'tracking.refused'")
        assert cursor.fetchone()[0] == 4, "what is absent is asked and kept like what is hidden"


def test_a_probed_name_of_an_experiment_is_an_event(ask, token, scientist, make_account):
    """Names are shared by the installation; who asks for one that is hidden is known afterwards."""
    from audit.models import Event

    asked = ("POST", "/api/2.0/mlflow/experiments/create", {"name": "fraud, quietly"})
    mine = token(scientist)
    assert ask(*asked, Authorization=f"Bearer {mine}")[0] == 200
    answers = []
    for secret in (mine, token(make_account("colleague", "data-scientist"))):
        status, _, body = ask(*asked, Authorization=f"Bearer {secret}")
        answers.append((status, json.loads(body)["error_code"], json.loads(body)["message"]))
    assert answers[0] == answers[1] and answers[0][:2] == (400, "RESOURCE_ALREADY_EXISTS")
    [event] = Event.objects.acting("tracking.refused")
    assert event.fields["actor"]["name"] == "colleague"
    assert event.fields["extra"]["call"] == asked[1]


def test_what_clients_say_of_themselves_is_not_believed(ask, admin, token, installation):
    """Edge alone names the client's address; names with underscores could pass for its headers in WSGI."""
    from django.db import connection

    secret = token(admin)
    lies = {
        "X_Forwarded_For": "6.6.6.6",
        "X-Forwarded-For": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
        "X-Real-IP": "6.6.6.6",
    }
    http_connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=60)
    body = json.dumps({"name": "not allowed"})
    headers = {
        **lies,
        "Authorization": f"Bearer {secret}",
        "Content-Type": "application/json",
        "X-Request-ID": "from-outside-1",
    }
    http_connection.request("POST", "/api/2.0/mlflow/registered-models/create", body, headers)
    answer = http_connection.getresponse()
    assert answer.status == 403
    assert answer.getheader("X-Request-ID") == "from-outside-1"
    answer.read()
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM audit.event WHERE body::jsonb->>'outcome' = 'denied'")
        assert "6.6.6.6" not in cursor.fetchone()[0]
    http_connection.request("GET", "/healthz", headers={"X-Request-ID": "bad id\t!"})
    assert http_connection.getresponse().getheader("X-Request-ID") != "bad id\t!"


def test_bodies_have_limits(ask, a_run, installation):
    run_id, secret = a_run
    status, _, body = ask(
        "PUT",
        f"{ARTIFACTS}/0/{run_id}/artifacts/x",
        None,
        Authorization=f"Bearer {secret}",
        Content_Length=str(1 << 40),
    )
    assert (status, json.loads(body)["error_code"]) == (413, "INVALID_PARAMETER_VALUE")
    status, _, body = ask(
        "POST", "/api/v1/models", None, Authorization=f"Bearer {secret}", Content_Length=str(1 << 40)
    )
    assert status == 413
    # Without a length: cut off at the limit, not swallowed without end.
    sent = _endless(installation, f"{ARTIFACTS}/0/{run_id}/artifacts/x", secret)
    assert sent < (64 << 20) + (32 << 20)
    assert not (installation.artifacts / "mlflow" / "0" / run_id / "artifacts" / "x").exists()


def _endless(installation, path, secret):
    """Chunks until the server has had enough; answers how many bytes it took."""
    sent, chunk = 0, b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"
    with socket.create_connection(("127.0.0.1", installation.port), timeout=30) as connection:
        connection.sendall(
            f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        try:
            while sent < 1 << 30:
                connection.sendall(chunk)
                sent += 1 << 20
        except OSError:
            pass
    return sent


def test_an_upload_cut_in_the_middle_leaves_nothing(installation, a_run):
    run_id, secret = a_run
    folder = installation.artifacts / "mlflow" / "0" / run_id / "artifacts"
    for framing in ("Content-Length: 10000000", "Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", installation.port), timeout=30) as connection:
            head = f"PUT {ARTIFACTS}/0/{run_id}/artifacts/cut.bin HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n{framing}\r\n\r\n"
            connection.sendall(head.encode() + b"10000\r\n" + b"x" * 65536)
            time.sleep(0.3)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and any(folder.glob("*")):
            time.sleep(0.1)
        assert not any(folder.glob("*"))


def test_slow_uploads_hold_nobody_else(installation, ask, a_run):
    run_id, secret = a_run
    slow = []
    try:
        for index in range(50):
            path = f"PUT {ARTIFACTS}/0/{run_id}/artifacts/{index}" if index % 2 else "POST /login/"
            connection = socket.create_connection(("127.0.0.1", installation.port), timeout=30)
            connection.sendall(
                f"{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\nContent-Length: 1000\r\n\r\nx".encode()
            )
            slow.append(connection)
        for _ in range(3):
            for connection in slow:
                connection.sendall(b"x")
            assert ask("GET", "/healthz")[0] == 200
            assert (
                ask(
                    "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", Authorization=f"Bearer {secret}"
                )[0]
                == 200
            )
    finally:
        for connection in slow:
            connection.close()


def test_large_artifacts_pass_in_constant_memory(installation, ask, a_run):
    run_id, secret = a_run
    size = 48 << 20
    content = os.urandom(1 << 20) * 48
    before = _memory(installation)
    address = f"{ARTIFACTS}/0/{run_id}/artifacts/large.bin"
    assert ask("PUT", address, content, Authorization=f"Bearer {secret}")[0] == 200
    status, _, answer = ask("GET", address, Authorization=f"Bearer {secret}")
    assert (status, len(answer)) == (200, size)
    assert answer == content
    assert _memory(installation) - before < 24 << 20


def _memory(installation):
    """Resident bytes of edge and the tracking server with their children."""
    import psutil

    total = 0
    for child in (installation.children[0], installation.children[2]):
        for process in [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]:
            total += process.memory_info().rss
    return total


def test_many_calls_on_one_connection(installation, a_run):
    _, secret = a_run
    connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=60)
    for _ in range(30):
        for method, path, body in (
            ("GET", "/healthz", None),
            ("HEAD", "/healthz", None),
            ("POST", "/api/2.0/mlflow/runs/search", '{"experiment_ids": ["0"]}'),
            ("GET", "/api/2.0/mlflow/registered-models/search", None),
        ):
            connection.request(method, path, body, {"Authorization": f"Bearer {secret}"})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()
