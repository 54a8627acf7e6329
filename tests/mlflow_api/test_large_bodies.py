"""Nobody fills the disk: large bodies are kept only of who is signed in, and only where files are sent."""

import http.client
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

MEBIBYTE = 1 << 20
CHUNK = b"100000\r\n" + b"x" * MEBIBYTE + b"\r\n"


def spooled(installation):
    """The bytes that edge keeps in files without a name."""
    folder = Path(f"/proc/{installation.children[2].pid}")
    families = [folder, *(Path(f"/proc/{child}") for child in _children(folder))]
    total = 0
    for each in families:
        for descriptor in (each / "fd").iterdir():
            with suppress(FileNotFoundError):  # closed since it was listed
                if "(deleted)" in str(descriptor.readlink()):
                    total += descriptor.stat().st_size
    return total


def _children(folder):
    return (folder / "task" / folder.name / "children").read_text().split()


def answer_to(installation, path, framing, chunks=0, **headers):
    """The status of the answer to a POST that never ends, how much was taken, and what edge kept of it."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{framing}\r\n"
    head += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    sent = kept = 0
    with socket.create_connection(("127.0.0.1", installation.port), timeout=20) as connection:
        connection.sendall(head.encode() + b"\r\n")
        try:
            for _ in range(chunks):
                connection.sendall(CHUNK)
                sent += MEBIBYTE
                kept = max(kept, spooled(installation))
        except OSError:
            pass
        answer = http.client.HTTPResponse(connection)
        try:
            answer.begin()
        except OSError:  # cut off while sending
            return 0, sent, kept
        return answer.status, sent, kept


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/models",
        "/login/",
        "/api/2.0/mlflow/registered-models/create",
        "/api/v1/datasets/flights/versions",
        "/data/flights/add/",
    ],
)
@pytest.mark.parametrize(
    "credentials", [{}, {"Authorization": "Bearer cp_wrong", "Cookie": "sessionid=wrong"}]
)
def test_who_is_not_signed_in_puts_nothing_on_the_disk(installation, path, credentials):
    status, _, _ = answer_to(installation, path, "Content-Length: 1000000000", **credentials)
    assert status in {401, 413}  # at once: not a byte of the body was sent
    status, sent, kept = answer_to(installation, path, "Transfer-Encoding: chunked", 64, **credentials)
    assert status in {0, 401, 413}
    assert sent < 32 * MEBIBYTE
    assert kept == 0


def test_only_addresses_for_files_take_more_than_a_document(installation, token, scientist):
    secret = f"Bearer {token(scientist)}"
    length = f"Content-Length: {17 * MEBIBYTE}"
    for path in ("/api/v1/models", "/login/", "/api/2.0/mlflow/registered-models/create"):
        assert answer_to(installation, path, length, Authorization=secret)[0] == 413
        status, sent, kept = answer_to(
            installation, path, "Transfer-Encoding: chunked", 64, Authorization=secret
        )
        assert status in {0, 413}
        assert sent < 48 * MEBIBYTE
        assert MEBIBYTE < kept <= 16 * MEBIBYTE


def test_files_pass_with_a_token_and_with_a_session(ask, token, scientist, client):
    content = b"a,b\n" + b"1,2\n" * 500_000
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        + content
        + b"\r\n--x--\r\n"
    )
    kind = {"Content_Type": "multipart/form-data; boundary=x"}
    bearer = {"Authorization": f"Bearer {token(scientist)}"}
    made = ask("POST", "/api/v1/datasets", {"name": "rows"}, Content_Type="application/json", **bearer)
    assert made[0] == 201, made
    status, _, answer = ask("POST", "/api/v1/datasets/rows/versions", body, **kind, **bearer)
    assert status == 202, answer
    assert client.login(username="scientist", password=PASSWORD)
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    # Past edge; what is missing is the form's token.
    status, _, answer = ask("POST", "/data/rows/add/", body, Cookie=cookie, **kind)
    assert status == 403, answer
    assert ask("POST", "/data/rows/add/", body, Cookie="sessionid=other", **kind)[0] == 401


def test_a_large_document_passes_for_who_is_signed_in(ask, installation, token, scientist):
    """Larger than what edge holds in memory: MLflow's registry, and a call of the tracking server."""
    bearer = {"Authorization": f"Bearer {token(scientist)}", "Content_Type": "application/json"}
    tags = [{"key": f"k{index}", "value": "v" * 4000} for index in range(300)]
    for path in ("registered-models/create", "experiments/create"):
        answer = ask("POST", f"/api/2.0/mlflow/{path}", {"name": "large", "tags": tags}, **bearer)
        assert answer[0] == 200, answer
        # Refused by its head: whoever goes on sending finds the connection closed.
        assert answer_to(installation, f"/api/2.0/mlflow/{path}", "Content-Length: 1200000")[0] == 401


def test_one_account_holds_few_places_and_leaves_some_to_others(
    installation, token, scientist, make_account, ask
):
    secret = token(scientist)
    other = token(make_account("colleague", "data-scientist"))
    waiting = []
    path = "/api/2.0/mlflow/registered-models/create"
    length = f"Content-Length: {2 * MEBIBYTE}"
    try:
        for _ in range(4):
            connection = socket.create_connection(("127.0.0.1", installation.port), timeout=20)
            connection.sendall(
                f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n{length}\r\n"
                "Expect: 100-continue\r\n\r\n".encode()
            )
            assert connection.recv(100).startswith(b"HTTP/1.1 100")  # it has its place
            waiting.append(connection)
        status, _, _ = answer_to(installation, path, length, Authorization=f"Bearer {secret}")
        assert status == 503
        body = {"name": "theirs", "tags": [{"key": "k", "value": "v" * 5000}] * 300}
        kind = {"Content_Type": "application/json"}
        assert ask("POST", path, body, Authorization=f"Bearer {other}", **kind)[0] == 200
        assert ask("POST", path, {"name": "small"}, Authorization=f"Bearer {secret}", **kind)[0] == 200
    finally:
        for connection in waiting:
            connection.close()


@pytest.mark.parametrize("address", ["/internal/signed-in", "/internal/tracking/decide"])
def test_questions_of_edge_are_answered_where_https_is_due(client, settings, address):
    """They come over a unix socket; sent on to https they would all fail."""
    settings.SECURE_SSL_REDIRECT = True
    assert client.post(address, "{}", content_type="application/json").status_code == 401
