"""One large artifact into the object store and out again, in a folder and in a real S3.

  python tools/bench/store_bench.py            (STORE_BENCH_MB=5120 for 5 GB; default 256)

Each place is a process of its own; its peak memory is read before and after. The S3 is SeaweedFS
from its wheel on this machine, so its own CPU and disk are part of the wall time.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

MEGABYTES = int(os.environ.get("STORE_BENCH_MB", "256"))
PIECE = 1 << 20
NAMES = {"folder": "folder", "s3": "S3 (SeaweedFS)"}


def pieces() -> Iterator[bytes]:
    """That many megabytes, no two alike, made while they are read."""
    noise = os.urandom(PIECE - 8)
    for number in range(MEGABYTES):
        yield number.to_bytes(8, "big") + noise


def peak_mb() -> float:
    """The most memory this process ever had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def timed(work: Any) -> tuple[Any, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def measure() -> dict[str, Any]:
    """In the child: up, hashed where it lies, and copied down."""
    from core.object_store import store

    objects = store()
    objects.put_stream(iter([b"warm"]))  # libraries and connections are there
    objects.digest_of(hashlib.sha256(b"warm").hexdigest())
    before = peak_mb()
    stored, up, up_cpu = timed(lambda: objects.put_stream(pieces()))
    after_up = peak_mb()
    digest, read, read_cpu = timed(lambda: objects.digest_of(stored.digest))
    with tempfile.TemporaryDirectory(dir=os.environ["BENCH_FOLDER"]) as folder:
        copied, down, down_cpu = timed(lambda: objects.copy_to(stored.digest, Path(folder) / "copy"))
    assert stored.size == MEGABYTES * PIECE
    assert stored.digest == digest == copied.digest
    return {
        "before": before,
        "after_up": after_up,
        "after_down": peak_mb(),
        "up": up,
        "read": read,
        "down": down,
        "up_cpu": up_cpu,
        "read_cpu": read_cpu,
        "down_cpu": down_cpu,
    }


def child(place: str, folder: Path, bench: str = __file__) -> dict[str, Any]:
    """Measure one place in a process of its own."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "controlplane.settings",
        "DATA_DIR": str(folder),
        "BENCH_FOLDER": str(folder),
        "SECRET_KEY": "only for this bench",
    }
    if place == "folder":
        return run({**environment, "ARTIFACT_ROOT": str(folder / "artifacts")}, bench)
    from tests.seaweed import SeaweedFS

    server = SeaweedFS()
    try:
        server.start()
        root = f"s3://{server.bucket}/bench"
        return run({**environment, **server.environment(), "ARTIFACT_ROOT": root}, bench)
    finally:
        server.stop()


def run(environment: dict[str, str], bench: str) -> dict[str, Any]:
    words = [sys.executable, bench, "--child"]
    done = subprocess.run(words, env=environment, check=True, capture_output=True, text=True, cwd=ROOT)
    return json.loads(done.stdout)


def main() -> None:
    from report import machine, write_section

    rows = []
    for place, name in NAMES.items():
        with tempfile.TemporaryDirectory(prefix="store-bench-") as folder:
            found = child(place, Path(folder))
        print(name, found)
        rate = {word: MEGABYTES / found[word] for word in ("up", "read", "down")}
        cpu = {word: found[f"{word}_cpu"] * 1024 / MEGABYTES for word in ("up", "read", "down")}
        rows.append(
            f"| {name} | {rate['up']:,.0f} | {rate['read']:,.0f} | {rate['down']:,.0f} |"
            f" {cpu['up']:.1f} | {cpu['down']:.1f} | {found['before']:.0f} |"
            f" +{found['after_up'] - found['before']:.0f} | +{found['after_down'] - found['before']:.0f} |"
        )
    text = f"""## Large artifacts: {MEGABYTES:,} MB up and down in constant memory

| store | up MB/s | hashed again MB/s | copied down MB/s | CPU s per GB up | CPU s per GB down | peak MB before | after the upload | after all |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
{chr(10).join(rows)}

Wall times include the disk and, for S3, the server on the same two cores.

`STORE_BENCH_MB={MEGABYTES} python tools/bench/store_bench.py`, {time.strftime("%Y-%m-%d")}. {machine()}.
"""
    write_section("store", text)
    print(text)


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(measure()))
    else:
        main()
