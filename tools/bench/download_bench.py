"""A large file handed out, hashed on its way as a whole and not as a part, from a folder and a real S3.

  python tools/bench/download_bench.py         (STORE_BENCH_MB; default 500)

What web does for a download, without the network: the pieces of the file are made and dropped.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]
os.environ.setdefault("STORE_BENCH_MB", "500")

from store_bench import MEGABYTES, NAMES, PIECE, child, peak_mb, pieces, timed

ROUNDS = 3


def measure() -> dict[str, Any]:
    """In the child: the fastest of three, in turns, so that both find the disk's cache alike."""
    import django

    django.setup()
    from core.object_store import store
    from core.ranges import Part
    from registry.integrity import proven
    from registry.manifest import ManifestFile
    from registry.models import ModelVersion

    stored = store().put_stream(pieces())
    entry = ManifestFile("weights.bin", stored.size, stored.digest)
    part = Part(1, stored.size, stored.size)
    ways = {
        "hashed": lambda: drained(proven(ModelVersion(), entry)),
        "plain": lambda: drained(part.read(store().open(stored.digest))),
    }
    Path("/proc/self/clear_refs").write_text("5")  # the peak of the upload is not a download's
    before, found = peak_mb(), {name: [timed(way)] for name, way in ways.items()}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            found[name].append(timed(way))
    assert {size for runs in found.values() for size, _, _ in runs} == {stored.size, stored.size - 1}
    best = {name: min(runs[1:], key=lambda run: run[1])[1:] for name, runs in found.items()}
    return {**best, "size": stored.size, "memory": peak_mb() - before}


def drained(content: Iterable[bytes]) -> int:
    return sum(len(piece) for piece in content)


def main() -> None:
    from report import machine, write_section

    rows = []
    for place, name in NAMES.items():
        with tempfile.TemporaryDirectory(prefix="download-bench-") as folder:
            found = child(place, Path(folder), __file__)
        print(name, found)
        assert found["size"] == MEGABYTES * PIECE
        rates = [f"{MEGABYTES / found[way][0]:,.0f}" for way in ("plain", "hashed")]
        costs = [f"{found[way][1] * 1024 / MEGABYTES:.2f}" for way in ("plain", "hashed")]
        rows.append(f"| {name} | {' | '.join(rates)} | {' | '.join(costs)} | +{found['memory']:.0f} |")
    text = f"""## A file of {MEGABYTES:,} MB handed out

| store | a part, not hashed, MB/s | the whole, hashed, MB/s | CPU s per GB, a part | CPU s per GB, the whole | peak memory, MB |
| --- | ---: | ---: | ---: | ---: | ---: |
{chr(10).join(rows)}

What web does, the network left out; the best of {ROUNDS} with a warm disk cache. S3 is SeaweedFS on the same two cores.

`STORE_BENCH_MB={MEGABYTES} python tools/bench/download_bench.py`, {time.strftime("%Y-%m-%d")}. {machine()}.
"""
    write_section("download", text)
    print(text)


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(measure()))
    else:
        main()
