"""Writes one bench's section of docs/benchmarks.md and leaves the others alone."""

import os
import platform
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "controlplane" / "bench"
HEAD = """# Benchmarks

Written by `make bench`, one section per bench. On a shared machine trust CPU seconds and ratios
more than wall time. Nothing here is asserted in a test.
"""


def write_section(name: str, text: str) -> None:
    """Replace the section between the marks of ``name``, or add it at the end."""
    start, end = f"<!-- {name}: start -->", f"<!-- {name}: end -->"
    section = f"{start}\n{text.strip()}\n{end}\n"
    page = PAGE.read_text() if PAGE.exists() else HEAD
    if start in page and end in page:
        before, rest = page.split(start, 1)
        page = before + section + rest.split(end, 1)[1].lstrip("\n")
    else:
        page = page.rstrip("\n") + "\n\n" + section
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page)


def machine() -> str:
    """The machine in one line."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return f"{os.cpu_count()} x {model}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
