"""A scorer: one process, one verified model, ``/ping`` and ``/invocations`` on a unix socket.

Started by the agent as ``python -m deployments.serving.scorer``, in a sandbox where the host
has one: no network, and nothing writable, since the agent hands down the listening socket.
Callers who come while a dead scorer is replaced wait in that socket's queue. Imports no Django.
"""

from __future__ import annotations

import os

# Before any import of numpy: unpinned, p99 collapsed 10 to 50 times.
for _name in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
):
    os.environ[_name] = "1"

import argparse  # noqa: E402
import asyncio  # noqa: E402
import ctypes  # noqa: E402
import json  # noqa: E402
import math  # noqa: E402
import resource  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from deployments.serving.batching import Batcher  # noqa: E402
from deployments.serving.exit_codes import CANNOT_LOAD, DIGEST_MISMATCH  # noqa: E402
from deployments.serving.manifest import ManifestMismatch, verify  # noqa: E402
from deployments.serving.wire import serve  # noqa: E402

PR_SET_PDEATHSIG = 1
MOST_ROWS = 100_000


class Scorer:
    """Answers for one loaded model."""

    def __init__(self, about: dict[str, Any]) -> None:
        self.about = about
        self.batcher: Batcher | None = None
        self.scored_rows = 0

    async def handle(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        if target == "/ping":
            return (200 if self.batcher else 503), json.dumps(
                {**self.about, "rows": self.scored_rows}
            ).encode()
        if target != "/invocations" or method != "POST":
            return 404, _error("not_found", "A scorer answers GET /ping and POST /invocations.")
        if self.batcher is None:
            return 503, _error("loading", "The model is still being loaded.")
        try:
            columns, rows = columns_of(json.loads(body))
        except (ValueError, RecursionError, TypeError, KeyError) as error:
            return 400, _error("invalid", str(error)[:300])
        try:
            scores = await self.batcher.score(columns, rows)
            answer = json.dumps({"predictions": [_plain(each) for each in scores]}, allow_nan=False)
        except Exception as error:  # whatever the model's own code raises is that model's failure
            return 500, _error("model_failed", f"{type(error).__name__}: {str(error)[:300]}")
        self.scored_rows += rows
        return 200, answer.encode()


def columns_of(document: Any) -> tuple[dict[str, list[Any]], int]:
    """Columns and row count of ``inputs`` (a list per column) or ``dataframe_split``."""
    if "inputs" in document:
        columns = document["inputs"]
    else:
        split = document["dataframe_split"]
        columns = dict(zip(split["columns"], map(list, zip(*split["data"], strict=True)), strict=True))
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1 or not 0 < (rows := lengths.pop()) <= MOST_ROWS:
        raise ValueError(f"every column needs the same number of rows, 1 to {MOST_ROWS}")
    return columns, rows


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"the model answered {value}")
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _error(code: str, message: str) -> bytes:
    return json.dumps({"code": code, "message": message}).encode()


def die_with_parent(parent: int | None) -> None:
    """The kernel ends us when the agent goes, however it went.

    ``parent`` is the agent's process id, unless a sandbox stands between.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        sys.exit(0)


def limit(memory_bytes: int) -> None:
    """Address space, files and core dumps; processor time is unlimited, since a scorer lives on."""
    for kind, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 64 << 20),
        (resource.RLIMIT_NOFILE, 1024),
    ):
        resource.setrlimit(kind, (most, most))


async def run(arguments: argparse.Namespace) -> int:
    """Listen at once, verify, load, score until ended."""
    started = time.monotonic()
    manifest = json.loads(arguments.manifest.read_text())
    scorer = Scorer({"deployment": arguments.deployment, "digest": arguments.digest, "pid": os.getpid()})
    server = await serve(socket.socket(fileno=arguments.socket_fd), scorer.handle)
    stopping = asyncio.Event()

    def stop() -> None:
        if scorer.batcher is None:
            os._exit(0)  # a thread that loads a model cannot be interrupted otherwise
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        size = await asyncio.to_thread(verify, arguments.model, manifest)
    except ManifestMismatch as error:
        print(f"digest mismatch: {error}", file=sys.stderr, flush=True)
        return DIGEST_MISMATCH
    try:
        model = await asyncio.to_thread(_load, arguments.model)
    except Exception as error:  # a model's own code may raise anything at all
        print(f"cannot load the model: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return CANNOT_LOAD
    scorer.about |= {"kind": model.kind, "bytes": size, "load_seconds": round(time.monotonic() - started, 3)}
    scorer.batcher = Batcher(model.score)
    print(f"ready after {scorer.about['load_seconds']} s", file=sys.stderr, flush=True)
    await stopping.wait()
    server.close()
    return 0


def _load(folder: Path) -> Any:
    from deployments.serving.loading import load  # noqa: PLC0415 - after verification, after pinning

    return load(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--digest", required=True)
    parser.add_argument("--deployment", required=True)
    parser.add_argument("--socket-fd", type=int, required=True)
    parser.add_argument("--parent", type=int)
    parser.add_argument("--memory-bytes", type=int, default=4 << 30)
    arguments = parser.parse_args()
    die_with_parent(arguments.parent)
    limit(arguments.memory_bytes)
    return asyncio.run(run(arguments))


if __name__ == "__main__":
    sys.exit(main())
