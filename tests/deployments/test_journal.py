"""The prediction log's first home, with real processes that are killed."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from deployments.serving import journal
from deployments.serving.journal import Journal, JournalFailed

WRITER = """
import asyncio, sys
from pathlib import Path
from deployments.serving.journal import Journal

async def main():
    mine = Journal(Path(sys.argv[1]), "writer", rotate_bytes=int(sys.argv[2]))
    async def write(worker):
        number = 0
        while True:
            record = f"{worker}:{number}".encode() + b"x" * 300
            await mine.append(record)
            sys.stdout.write(f"{worker}:{number}\\n"); sys.stdout.flush()
            number += 1
    await asyncio.gather(*(write(worker) for worker in range(8)))

asyncio.run(main())
"""


def records(folder):
    return [payload for path in journal.adopt(folder) for payload in journal.read(path)]


def test_a_record_is_in_the_file_when_append_returns(tmp_path):
    async def main():
        mine = Journal(tmp_path, "here")
        await asyncio.gather(*(mine.append(f"record {n}".encode()) for n in range(50)))
        (path,) = tmp_path.glob("*.open")
        return list(journal.read(path)), mine.syncs

    found, syncs = asyncio.run(main())
    assert sorted(found) == sorted(f"record {n}".encode() for n in range(50))
    assert syncs < 50, "records that wait together are synced together"


@pytest.mark.parametrize("rotate_bytes", [16 << 20, 20_000])
def test_what_was_acknowledged_survives_kill_9(tmp_path, rotate_bytes):
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path), str(rotate_bytes)], stdout=subprocess.PIPE, text=True
    )
    acknowledged = [writer.stdout.readline() for _ in range(400)]
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += writer.stdout.read().splitlines(keepends=True)
    writer.wait()
    acknowledged = {line.strip() for line in acknowledged if line.endswith("\n")}
    kept = [payload.rstrip(b"x").decode() for payload in records(tmp_path)]
    assert acknowledged <= set(kept)
    assert len(kept) == len(set(kept)), "nothing twice"


def test_a_torn_tail_is_cut_and_the_rest_kept(tmp_path):
    path = tmp_path / "dead-1.open"
    whole = journal.MAGIC + journal.framed(b"first") + journal.framed(b"second")
    for torn in (b"\x00", journal.framed(b"third")[:-1], b"\xff" * 40, journal.HEAD.pack(5, 1) + b"third"):
        path.write_bytes(whole + torn)
        (closed,) = journal.adopt(tmp_path)
        assert list(journal.read(closed)) == [b"first", b"second"]
        assert closed.stat().st_size == len(whole)
        closed.unlink()


def test_a_file_of_a_living_writer_is_left_alone(tmp_path):
    async def main():
        mine = Journal(tmp_path, "alive", rotate_seconds=60)
        await mine.append(b"one")
        during = journal.adopt(tmp_path)
        await mine.append(b"two")
        mine.close()
        return during

    assert asyncio.run(main()) == []
    assert records(tmp_path) == [b"one", b"two"]


def test_an_idle_file_is_handed_over_by_itself(tmp_path):
    async def main():
        mine = Journal(tmp_path, "idle", rotate_seconds=0.2)
        await mine.append(b"one")
        await asyncio.sleep(0.6)
        return list(tmp_path.glob("*.closed")), list(tmp_path.glob("*.open"))

    closed, still_open = asyncio.run(main())
    assert len(closed) == 1
    assert not still_open


def test_a_disk_that_refuses_is_never_answered_as_written(tmp_path, monkeypatch):
    async def main():
        mine = Journal(tmp_path, "full")
        await mine.append(b"before")

        def full(*_):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("deployments.serving.journal.os.fdatasync", full)
            with pytest.raises(JournalFailed):
                await mine.append(b"lost")
        await mine.append(b"after")
        mine.close()

    asyncio.run(main())
    time.sleep(0.05)
    assert records(tmp_path) == [b"before", b"after"]
