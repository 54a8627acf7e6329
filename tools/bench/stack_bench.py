"""A stack of its own: time to answering pages, idle memory, CPU of one registry read, pages.

  python tools/bench/stack_bench.py [--reads 1000]

Memory is PSS (shared pages counted once) of every process of the stack, after it has been idle.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

import httpx
from report import machine, write_section

from controlplane.stack.places import free_port, processes_of
from controlplane.stack.processes import ROOT
from controlplane.stack.stack import Stack

IDLE_SECONDS = 30
PAGES = ["/models/", "/approvals/", "/deployments/", "/monitoring/", "/costs/", "/incidents/"]
TICKS = os.sysconf("SC_CLK_TCK")


def family(pids: set[int]) -> set[int]:
    """These processes and all below them (PostgreSQL writes over its children's environment)."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, grew = set(pids), True
    while grew:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found, grew = found | more, bool(more)
    return found


def pss_mb(pids: set[int]) -> float:
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def cpu_seconds(pids: set[int]) -> float:
    spent = 0
    for pid in pids:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        spent += int(words[11]) + int(words[12])
    return spent / TICKS


def manage(stack: Stack, *words: str, said: str = "") -> str:
    words = (sys.executable, str(ROOT / "manage.py"), *words, "--data-dir", str(stack.data_dir))
    return subprocess.run(
        words, input=said, capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.strip()


def read_cost(stack: Stack, reads: int) -> float:
    """CPU milliseconds, edge and web together, of one authenticated registered-models/get."""
    token = manage(stack, "issue_token", "bench", "--scope", "all")
    pids = {each["name"]: each["pid"] for each in stack.supervisor.processes()}
    doors = family({pids["edge"], pids["web"]})
    address = f"http://127.0.0.1:{stack.port}/api/2.0/mlflow/registered-models"
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        client.post(f"{address}/create", json={"name": "bench"}).raise_for_status()
        for _ in range(100):
            client.get(f"{address}/get", params={"name": "bench"}).raise_for_status()
        before = cpu_seconds(doors)
        for _ in range(reads):
            client.get(f"{address}/get", params={"name": "bench"}).raise_for_status()
        return (cpu_seconds(doors) - before) * 1000 / reads


def page_costs(stack: Stack, password: str) -> list[tuple[str, float, int]]:
    """Median milliseconds and compressed bytes of each page's own document."""
    found = []
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.port}", follow_redirects=True, timeout=30) as client:
        client.get("/login/")
        form = {
            "login": "bench-admin",
            "password": password,
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
        }
        client.post("/login/", data=form, headers={"Referer": str(client.base_url)}).raise_for_status()
        for page in PAGES:
            client.get(page).raise_for_status()
            times = []
            for _ in range(10):
                began = time.perf_counter()
                answer = client.get(page)
                times.append((time.perf_counter() - began) * 1000)
            found.append((page, statistics.median(times), len(gzip.compress(answer.content))))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=1000)
    reads = parser.parse_args().reads
    with tempfile.TemporaryDirectory(prefix="cpbench-") as folder:
        stack = Stack(Path(folder) / "data", free_port(), free_port(), say=print)
        began = time.monotonic()
        try:
            stack.start(detach=True)
            ready = time.monotonic() - began
            password = secrets.token_urlsafe(18)
            manage(stack, "create_account", "bench", "--role", "data-scientist")
            manage(
                stack, "create_account", "bench-admin", "--role", "admin", "--password-stdin", said=password
            )
            time.sleep(IDLE_SECONDS)
            memory = pss_mb(family(processes_of(stack.data_dir)))
            cost = read_cost(stack, reads)
            pages = page_costs(stack, password)
        finally:
            stack.stop()
    rows = [
        f"| first start of an empty stack to answering pages, packages installed | {ready:.0f} s |",
        f"| idle memory of the whole stack without scorers (PSS; goal 900 MB) | {memory:,.0f} MB |",
        f"| CPU of an authenticated `registered-models/get`, edge and web (goal 1.2 ms) | {cost:.2f} ms |",
        *(
            f"| `{page}` without rows, as a client sees it | {ms:.0f} ms, {size:,} bytes gzip |"
            for page, ms, size in pages
        ),
    ]
    today = datetime.datetime.now(datetime.UTC).date()
    write_section(
        "stack",
        "## The stack\n\n| | |\n| --- | ---: |\n"
        + "\n".join(rows)
        + f"\n\n`python tools/bench/stack_bench.py --reads {reads}`, {today}. {machine()}.",
    )


if __name__ == "__main__":
    main()
