"""The MLflow registry calls against MLflow's own server, on one PostgreSQL, in one run.

  python tools/bench/registry_bench.py [--models 100000] [--seconds 0.7] [--rounds 3]

Both speak to one kept-alive client, block by block in turns; rights and audit are on at our side.
CPU is that of the server's processes (edge and web here, the whole tree there), without the database.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

import httpx
import psycopg
from registry_calls import API, KINDS, ORDINARY, Calls, Connection
from registry_rows import VERSIONS, fill
from report import machine, write_section
from stack_bench import cpu_seconds, family, manage

from controlplane.stack.places import free_port
from controlplane.stack.stack import Stack

FEW = 100
# How many times faster than MLflow's server each kind of call is to be.
GOALS = {"point read": 5, "write": 4, "search or list": 20}


@dataclass
class Target:
    """A server under test, and what was measured of it: per call, seconds of each request and CPU."""

    label: str
    url: str
    pids: set[int]
    calls: Calls
    token: str = ""
    seconds: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    async def block(self, connection: Connection, name: str, seconds: float) -> None:
        make, times = getattr(self.calls, name), self.seconds.setdefault(name, [])
        processes = family(self.pids)
        before, until = cpu_seconds(processes), time.perf_counter() + seconds
        while time.perf_counter() < until:
            call = make()
            began = time.perf_counter()
            status, content = await connection.ask(call)
            times.append(time.perf_counter() - began)
            if status != 200:
                raise SystemExit(f"{self.label} answered {status} to {call[:2]}: {content[:300]!r}")
        self.cpu[name] = self.cpu.get(name, 0.0) + cpu_seconds(processes) - before

    def median_ms(self, name: str) -> float:
        return statistics.median(self.seconds[name]) * 1000

    def cpu_ms(self, name: str) -> float:
        return self.cpu[name] * 1000 / len(self.seconds[name])

    def forget(self, models: int) -> None:
        self.seconds, self.cpu, self.calls.models = {}, {}, models


async def measure(targets: list[Target], seconds: float, rounds: int) -> None:
    """Every call at every target, in turns."""
    connections = {target.label: Connection(target.url, target.token) for target in targets}
    names = [name for kind in KINDS.values() for name in kind]
    for name, target in itertools.product(names, targets):
        await target.block(connections[target.label], name, seconds / 4)  # warm
    for target in targets:
        target.seconds, target.cpu = {}, {}
    for turn in range(rounds):
        for name in names:
            for target in targets if turn % 2 else targets[::-1]:
                await target.block(connections[target.label], name, seconds)


async def walk(target: Target, most: int) -> tuple[float, float]:
    """Median milliseconds of the first and of the last pages of the whole list of models."""
    connection, token, times = Connection(target.url, target.token), "", []
    for _ in range(most):
        more = {"page_token": token} if token else {}
        began = time.perf_counter()
        _, content = await connection.ask(target.calls._models(max_results=1000, **more))
        times.append((time.perf_counter() - began) * 1000)
        token = json.loads(content).get("next_page_token", "")
        if not token:
            break
    return statistics.median(times[:5]), statistics.median(times[-6:-1] or times)


def peer(folder: Path, url: str) -> tuple[subprocess.Popen[bytes], str]:
    """``mlflow server`` on the same PostgreSQL, its registry alone used."""
    port = free_port()
    address = url.replace("postgresql://", "postgresql+psycopg://")
    environment = {
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    mlflow = str(Path(sys.executable).with_name("mlflow"))
    subprocess.run([mlflow, "db", "upgrade", address], check=True, capture_output=True, env=environment)
    words = [mlflow, "server", "--host", "127.0.0.1", "--port", str(port), "--backend-store-uri", address]
    words += ["--artifacts-destination", str(folder / "peer-artifacts")]
    with (folder / "peer.log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, env=environment, cwd=folder)
    for _ in range(120):
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", timeout=1).raise_for_status()
            return process, f"http://127.0.0.1:{port}"
        except httpx.HTTPError:
            time.sleep(1)
    raise SystemExit("mlflow server did not start: " + (folder / "peer.log").read_text()[-2000:])


def own_run(stack: Stack, token: str) -> str:
    """A run of the account that asks: versions come from runs that exist."""
    answer = httpx.post(
        f"http://127.0.0.1:{stack.port}{API}runs/create",
        json={"experiment_id": "0", "start_time": 1},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    return str(answer.raise_for_status().json()["run"]["info"]["run_id"])


def databases(stack: Stack) -> tuple[str, str]:
    """The superuser's addresses of our database and of the peer's, on the same server."""
    ours = urlsplit(stack.facts()["environment"]["DATABASE_OWNER_URL"])
    password = (stack.data_dir / "keys" / "postgres").read_text().strip()
    server = f"postgresql://postgres:{password}@{ours.hostname}:{ours.port}"
    return server + ours.path, f"{server}/peer"


def send(pids: set[int], what: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, what)


def table(ours: Target, theirs: Target, few: dict[str, float]) -> list[str]:
    """One line per call: ours, theirs, and the ratios the goals speak of."""
    lines = [
        "| call | ours, ms | MLflow, ms | times faster | our CPU, ms | MLflow CPU, ms | part of its CPU | against 100 models |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind, names in KINDS.items():
        lines.append(f"| **{kind}** | | | | | | | |")
        for name in names:
            mine, other = ours.median_ms(name), theirs.median_ms(name)
            cpu, their_cpu = ours.cpu_ms(name), theirs.cpu_ms(name)
            lines.append(
                f"| {name.replace('_', ' ')} | {mine:.2f} | {other:.2f} | {other / mine:.1f} | {cpu:.2f} |"
                f" {their_cpu:.2f} | {cpu / their_cpu:.2f} | {mine / few[name]:.2f} |"
            )
    return lines


def missed(ours: Target, theirs: Target, few: dict[str, float]) -> list[str]:
    """Each goal that this run did not reach, by name and figure."""
    lines = []
    for kind, names in KINDS.items():
        for name in names:
            mine, said = ours.median_ms(name), name.replace("_", " ")
            faster, part = theirs.median_ms(name) / mine, ours.cpu_ms(name) / theirs.cpu_ms(name)
            if kind in GOALS and faster < GOALS[kind]:
                lines.append(f"{said} {faster:.1f} times faster, not {GOALS[kind]}")
            if kind == "point read" and part > 0.2:
                lines.append(f"{said} at {part:.2f} of the CPU, not 0.2")
            if mine / few[name] > 2:
                lines.append(f"{said} {mine / few[name]:.1f} times its value at {FEW} models, not 2")
    for name, plain in ORDINARY.items():
        if (ratio := ours.median_ms(name) / ours.median_ms(plain)) > 1.5:
            lines.append(f"{name.replace('_', ' ')} {ratio:.2f} times an ordinary one, not 1.5")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=0.7)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cpbench-") as folder:
        stack = Stack(Path(folder) / "data", free_port(), free_port(), say=print)
        server, workers = None, set()
        try:
            stack.start(detach=True)
            manage(stack, "create_account", "bench", "--role", "data-scientist")
            token = manage(stack, "issue_token", "bench", "--scope", "all")
            superuser, peers = databases(stack)
            with psycopg.connect(superuser, autocommit=True) as connection:
                connection.execute("CREATE DATABASE peer")
                account = str(
                    connection.execute("SELECT id FROM accounts_account WHERE username = 'bench'").fetchone()[
                        0
                    ]
                )
            server, address = peer(Path(folder), peers)
            pids = {each["name"]: each["pid"] for each in stack.supervisor.processes()}
            # The jobs of created versions are not what is measured.
            workers = family({pid for name, pid in pids.items() if name.startswith("worker")})
            send(workers, signal.SIGSTOP)
            ours = Target("ours", f"http://127.0.0.1:{stack.port}", {pids["edge"], pids["web"]},
                          Calls(FEW, own_run(stack, token)), token)  # fmt: skip
            theirs = Target("MLflow", address, {server.pid}, Calls(FEW, ""))
            fill(superuser, peers, account, 0, FEW - 1)
            asyncio.run(measure([ours, theirs], options.seconds, options.rounds))
            few = {name: ours.median_ms(name) for names in KINDS.values() for name in names}
            began = time.monotonic()
            fill(superuser, peers, account, FEW, options.models - 1)
            print(f"filled in {time.monotonic() - began:.0f} s")
            for target in (ours, theirs):
                target.forget(options.models)
            asyncio.run(measure([ours, theirs], options.seconds, options.rounds))
            first, last = asyncio.run(walk(ours, 200))
        finally:
            send(workers, signal.SIGCONT)
            if server is not None:
                server.terminate()
                server.wait(20)
            stack.stop()
    report(options, ours, theirs, few, first, last)


def report(
    options: argparse.Namespace,
    ours: Target,
    theirs: Target,
    few: dict[str, float],
    first: float,
    last: float,
) -> None:
    hot = ", ".join(
        f"{name.replace('_', ' ')} {ours.median_ms(name) / ours.median_ms(plain):.2f}"
        for name, plain in ORDINARY.items()
    )
    write_section(
        "registry",
        "\n".join(
            [
                f"## The registry at {options.models:,} models x {VERSIONS} versions, against `mlflow server`",
                "",
                *table(ours, theirs, few),
                "",
                "Goals: point reads 5 times faster at a fifth of the CPU, writes 4 times, searches and lists 20 times;",
                "at most 2 against 100 models. One client, one connection each, the same PostgreSQL, rights and audit on",
                "at our side; CPU without the database.",
                f"Pages of 1,000 models: the last takes {last / first:.2f} times the first (goal 1.5).",
                f"The model of 5,000 versions against an ordinary one (goal 1.5): {hot}.",
                "",
                "MISSED: " + ("; ".join(missed(ours, theirs, few)) or "none") + ".",
                "",
                f"`python tools/bench/registry_bench.py --models {options.models} --seconds {options.seconds:g}"
                f" --rounds {options.rounds}`,"
                f" {datetime.datetime.now(datetime.UTC).date()}. {machine()}.",
            ]
        ),
    )


if __name__ == "__main__":
    main()
