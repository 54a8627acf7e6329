"""The story of the demo from an empty folder to its end, and its pages with their rows.

  python tools/bench/story_bench.py

Pages are asked for ten times by a client on the same machine: median wall milliseconds, CPU
milliseconds of the web processes, gzip bytes of the document with and without its charts' data.
"""

from __future__ import annotations

import datetime
import gzip
import json
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

from report import machine, write_section
from stack_bench import cpu_seconds, family, manage

from controlplane.demo.doors import Browser, Rest
from controlplane.stack.places import free_port
from controlplane.stack.stack import Stack

TIMES = 10
MODEL = "flight-delay"
CHART_DATA = re.compile(rb'<script id="[^"]+" type="application/json">.*?</script>', re.DOTALL)


def addresses(rest: Rest) -> dict[str, str]:
    """The pages that carry most, by what they are."""
    requests = {each["version"]: each["id"] for each in rest.items("promotion-requests", model=MODEL)}
    (incident,) = rest.items("incidents", model=MODEL)
    return {
        "review page of version 3": f"/approvals/{requests[3]}/",
        "monitoring, four weeks": f"/models/{MODEL}/monitoring/",
        "monitoring, 90 days by week": f"/models/{MODEL}/monitoring/?range=90d&window=week",
        "model": f"/models/{MODEL}/",
        "version": f"/models/{MODEL}/versions/3/",
        "incident": f"/incidents/{incident['id']}/",
        "data set version": "/data/flights/",
        "audit trail": "/audit/",
    }


def measured(browser: Browser, web: set[int], path: str) -> str:
    """One line of the table without its name."""
    browser.page(path)
    before, times, content = cpu_seconds(web), [], b""
    for _ in range(TIMES):
        began = time.perf_counter()
        content = browser.page(path).encode()
        times.append((time.perf_counter() - began) * 1000)
    cpu = (cpu_seconds(web) - before) * 1000 / TIMES
    bare = len(gzip.compress(CHART_DATA.sub(b"", content)))
    return f"{statistics.median(times):.0f} | {cpu:.0f} | {len(gzip.compress(content)):,} | {bare:,}"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="cpbench-") as folder:
        stack = Stack(Path(folder) / "data", free_port(), free_port(), say=print)
        began = time.monotonic()
        try:
            stack.start(detach=True)
            ready = time.monotonic() - began
            print(manage(stack, "play_demo"))
            ended = time.monotonic() - began
            address = f"http://127.0.0.1:{stack.port}"
            passwords = json.loads((stack.data_dir / "keys" / "demo_passwords.json").read_text())
            rest = Rest(address, manage(stack, "issue_token", "admin", "--scope", "all").split()[-1])
            pages = addresses(rest)
            browser = Browser(address, "admin", passwords["admin"])
            web = family({each["pid"] for each in stack.supervisor.processes() if each["name"] == "web"})
            rows = [f"| {name} | {measured(browser, web, path)} |" for name, path in pages.items()]
        finally:
            stack.stop()
    today = datetime.datetime.now(datetime.UTC).date()
    write_section(
        "story",
        "## The story, and its pages with their rows\n\n"
        f"From an empty folder, packages installed: pages answer after {ready:.0f} s (goal 90 s), "
        f"the story has ended after {ended:.0f} s (goal 480 s).\n\n"
        "| page | ms (goal 150) | CPU ms of web | bytes gzip | without charts' data (goal 60,000) |\n"
        "| --- | ---: | ---: | ---: | ---: |\n" + "\n".join(rows) + "\n\n"
        "Query counts do not grow from 1 to 12 rows: `tests/approvals`, `tests/monitoring/test_pages.py` "
        "and their neighbours assert it.\n\n"
        f"`python tools/bench/story_bench.py`, {today}. {machine()}.",
    )


if __name__ == "__main__":
    main()
