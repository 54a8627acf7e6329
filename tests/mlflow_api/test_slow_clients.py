"""Clients that do not take what they asked for: web goes on, and who takes it late gets all of it."""

import asyncio
import hashlib
import os
import socket
import time

import pytest

from controlplane.edge import reservoirs
from controlplane.edge.answers import Refused
from controlplane.edge.reservoirs import Reservoirs, TooSlow

PIECES = [os.urandom(size) for size in (70, 3, 900, 64, 1, 500, 333) * 30]


@pytest.fixture
def narrow(monkeypatch):
    for name, size in {"IN_MEMORY": 200, "ON_DISK": 2000, "PIECE": 128}.items():
        monkeypatch.setattr(reservoirs, name, size)
    for name, most in {
        "MOST_FILES": 3,
        "MOST_FILES_OF_ONE": 1,
        "MOST_WAITING": 1,
        "MOST_WAITING_OF_ONE": 1,
    }.items():
        monkeypatch.setattr(reservoirs, name, most)


async def source(pieces, seen, wait=0.0):
    for piece in pieces:
        await asyncio.sleep(wait)
        seen.append(piece)
        yield piece


def taker(got, wait=0.0, stop_at=None):
    async def give(piece):
        got.append(piece)
        await asyncio.sleep(wait if stop_at is None or len(got) < stop_at else 60)

    return give


async def through(shared, pieces, who, give, length=None):
    reservoir = shared.opened(length, who)
    try:
        await reservoir.read_ahead(pieces, give)
    finally:
        reservoir.close()


@pytest.mark.parametrize(("reading", "taking"), [(0, 0), (0, 0.001), (0.001, 0)])
def test_every_piece_comes_in_its_order(narrow, reading, taking):
    got = []
    shared = Reservoirs()
    asyncio.run(through(shared, source(PIECES, [], reading), "a", taker(got, taking)))
    assert b"".join(got) == b"".join(PIECES)
    assert not shared.files.held
    assert not shared.waiting.held


def test_the_source_is_read_ahead_of_its_client_up_to_a_limit(narrow):
    async def play():
        seen, shared = [], Reservoirs()
        slow = asyncio.create_task(through(shared, source(PIECES, seen), "a", taker([], stop_at=1)))
        await asyncio.sleep(0.2)
        assert 2000 < sum(map(len, seen)) < 2200 + 2 * 900
        others = [
            asyncio.create_task(through(shared, source(PIECES, []), who, taker([], stop_at=1)))
            for who in ("a", "b")
        ]
        done, _ = await asyncio.wait(others, timeout=0.5)
        assert len(done) == 2, "only one may wait for its client"
        assert all(isinstance(each.exception(), TooSlow) for each in done)
        slow.cancel()
        await asyncio.wait([slow])
        assert not shared.files.held
        assert not shared.waiting.held

    asyncio.run(play())


def test_an_answer_without_a_place_is_refused_before_it_begins(narrow):
    shared = Reservoirs()
    small, held = shared.opened(200, "a"), shared.opened(2000, "a")
    with pytest.raises(Refused) as refused:
        shared.opened(201, "a")
    assert (refused.value.status, refused.value.retry_after) == (503, 2)
    large = shared.opened(2001, "b")
    with pytest.raises(Refused):
        shared.opened(2001, "c")
    shared.opened(2000, "c").close()
    for each in (small, held, large):
        each.close()
    assert not shared.files.held
    assert not shared.waiting.held


def test_what_breaks_at_the_source_breaks_at_the_client(narrow):
    async def broken():
        yield b"begun"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        asyncio.run(through(Reservoirs(), broken(), "a", taker([], 0.01)))


@pytest.mark.django_db(transaction=True)
def test_slow_downloads_hold_nobody_else(installation, ask, token, scientist, client_for):
    secret, size = token(scientist), 24 << 20
    created = ask(
        "POST",
        "/api/2.0/mlflow/runs/create",
        {"experiment_id": "0", "start_time": 1},
        Authorization=f"Bearer {secret}",
    )
    run = created[2].split(b'"run_id": "')[1].split(b'"')[0].decode()
    folder = installation.artifacts / "mlflow" / "0" / run / "artifacts"
    folder.mkdir(parents=True)
    (folder / "big.bin").write_bytes(content := os.urandom(1 << 20) * (size >> 20))
    cookie = client_for(scientist).cookies["sessionid"].value
    request = (
        f"GET /runs/{run}/files/big.bin HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sessionid={cookie}\r\n\r\n"
    )
    slow = []
    try:
        for number in range(20):
            connection = socket.socket()
            if number:  # the first begins late and then takes everything
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(30)
            connection.connect(("127.0.0.1", installation.port))
            connection.sendall(request.encode())
            slow.append(connection)
        heads = [connection.recv(12) for connection in slow]
        assert (heads.count(b"HTTP/1.1 200"), heads.count(b"HTTP/1.1 503")) == (16, 4)
        assert heads[0] == b"HTTP/1.1 200"
        for path in ("/readyz", "/login/"):
            began = time.monotonic()
            assert ask("GET", path)[0] == 200
            assert time.monotonic() - began < 5
        received = b""
        while len(received) < size:
            received += slow[0].recv(1 << 20)
        body = received.split(b"\r\n\r\n", 1)[1]
        while len(body) < size:
            body += slow[0].recv(1 << 20)
        assert hashlib.sha256(body).digest() == hashlib.sha256(content).digest()
    finally:
        for connection in slow:
            connection.close()
