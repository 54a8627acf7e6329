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
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

import httpx
import psycopg
from registry_rows import VERSIONS, fill
from report import machine, write_section
from stack_bench import cpu_seconds, family, manage

from controlplane.stack.places import free_port
from controlplane.stack.stack import Stack

API = "/api/2.0/mlflow/"
FEW = 100
# What is asked, by kind: each kind has its own goal.
KINDS = {
    "point read": ("get_model", "get_version", "get_by_alias", "latest_versions"),
    "write": ("create_model", "create_version", "set_alias", "set_model_tag", "set_version_tag"),
    "search or list": (
        "models_by_prefix", "models_by_infix", "models_by_tag", "models_by_two_tags", "newest_models",
        "list_models", "versions_of_model", "versions_by_run", "versions_by_tag", "list_versions",
    ),
    "model of 5,000 versions": ("hot_model", "hot_latest", "hot_by_alias", "hot_versions"),
}  # fmt: skip
# An ordinary call that each call on the hot model is held against.
ORDINARY = {"hot_model": "get_model", "hot_latest": "latest_versions", "hot_by_alias": "get_by_alias",
            "hot_versions": "versions_of_model"}  # fmt: skip
Call = tuple[str, str, dict[str, Any] | None]


class Calls:
    """Makes one request of each kind; ``models`` is how many there are to choose from."""

    def __init__(self, models: int, run: str) -> None:
        self.models, self.run = models, run
        self.draw, self.count, self.mark = random.Random(1), itertools.count(), uuid.uuid4().hex[:8]

    def _name(self) -> str:
        return f"m-{self.draw.randrange(self.models):07d}"

    def _number(self) -> int:
        return self.draw.randrange(self.models)

    @staticmethod
    def _get(path: str, **query: Any) -> Call:
        return (
            "GET",
            API + path + "?" + "&".join(f"{key}={quote(str(value))}" for key, value in query.items()),
            None,
        )

    @staticmethod
    def _post(path: str, **body: Any) -> Call:
        return "POST", API + path, body

    def get_model(self) -> Call:
        return self._get("registered-models/get", name=self._name())

    def get_version(self) -> Call:
        return self._get("model-versions/get", name=self._name(), version=1 + self._number() % VERSIONS)

    def get_by_alias(self) -> Call:
        return self._get("registered-models/alias", name=self._name(), alias="champion")

    def latest_versions(self) -> Call:
        return self._post("registered-models/get-latest-versions", name=self._name())

    def create_model(self) -> Call:
        tags = [{"key": "team", "value": "bench"}]
        return self._post("registered-models/create", name=f"z-{self.mark}-{next(self.count)}", tags=tags)

    def create_version(self) -> Call:
        source = f"runs:/{self.run}/model" if self.run else "s3://bucket/model"
        return self._post("model-versions/create", name=self._name(), source=source, run_id=self.run)

    def set_alias(self) -> Call:
        version = str(1 + self._number() % VERSIONS)
        return self._post("registered-models/alias", name=self._name(), alias="challenger", version=version)

    def set_model_tag(self) -> Call:
        return self._post("registered-models/set-tag", name=self._name(), key="note", value=uuid.uuid4().hex)

    def set_version_tag(self) -> Call:
        value = uuid.uuid4().hex
        return self._post("model-versions/set-tag", name=self._name(), version="1", key="note", value=value)

    def _models(self, **query: Any) -> Call:
        return self._get("registered-models/search", **{"max_results": 50, **query})

    def _versions(self, **query: Any) -> Call:
        return self._get("model-versions/search", **{"max_results": 50, **query})

    def models_by_prefix(self) -> Call:
        return self._models(filter=f"name LIKE '{self._name()[:-1]}%'")

    def models_by_infix(self) -> Call:
        return self._models(filter=f"name ILIKE '%{self._number():05d}%'")

    def models_by_tag(self) -> Call:
        return self._models(filter=f"tags.team = 'team-{self._number() % 20}'")

    def models_by_two_tags(self) -> Call:
        return self._models(filter=f"tags.team = 'team-{self._number() % 20}' AND tags.tier = 'gold'")

    def newest_models(self) -> Call:
        return self._models(order_by="last_updated_timestamp DESC")

    def list_models(self) -> Call:
        return self._models(max_results=100)

    def versions_of_model(self) -> Call:
        return self._versions(filter=f"name='{self._name()}'", max_results=100)

    def versions_by_run(self) -> Call:
        return self._versions(filter=f"run_id='{uuid.uuid4().hex}'", max_results=10)

    def versions_by_tag(self) -> Call:
        return self._versions(filter=f"tags.dataset = 'ds-{self._number() % 50}'")

    def list_versions(self) -> Call:
        return self._versions(max_results=100)

    def hot_model(self) -> Call:
        return self._get("registered-models/get", name="hot")

    def hot_latest(self) -> Call:
        return self._post("registered-models/get-latest-versions", name="hot")

    def hot_by_alias(self) -> Call:
        return self._get("registered-models/alias", name="hot", alias="champion")

    def hot_versions(self) -> Call:
        return self._versions(filter="name='hot'", max_results=100)


class Connection:
    """A minimal HTTP/1.1 client on one kept-alive connection: it must cost less than what it measures."""

    def __init__(self, url: str, token: str) -> None:
        self.host, self.port = urlsplit(url).hostname, urlsplit(url).port
        self.authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self.reader: Any = None
        self.writer: Any = None

    async def ask(self, call: Call) -> tuple[int, bytes]:
        method, path, body = call
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=1 << 26)
        data = json.dumps(body).encode() if body is not None else b""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{self.authorization}"
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        self.writer.write(head.encode() + data)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin1").split("\r\n")
        headers = {
            name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:] if ": " in line)
        }
        if headers.get("transfer-encoding") == "chunked":
            content = b""
            while size := int((await self.reader.readline()).strip(), 16):
                content += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readexactly(2)
        else:
            content = await self.reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.writer.close()
            self.writer = None
        return int(lines[0].split()[1]), content


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
                f"`python tools/bench/registry_bench.py --models {options.models}`,"
                f" {datetime.datetime.now(datetime.UTC).date()}. {machine()}.",
            ]
        ),
    )


if __name__ == "__main__":
    main()
