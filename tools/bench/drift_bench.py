"""Drift of one day, 1,000,000 rows x 20 columns: our sketches beside Evidently 0.7.23.

  python tools/bench/drift_bench.py [--rows 1000000] [--columns 20] [--rounds 3]

Each measurement is a process of its own: CPU seconds of the work with imports left out and the
reading of Parquet included, and peak memory. Evidently lives in a virtual environment of its
own (its pandas is older than ours), made in the cache folder on first use. Four columns in five
are numbers of six shapes, the others categories; every third column drifts.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

EVIDENTLY = ["evidently==0.7.23", "pandas<3", "pyarrow"]
NAMES = {
    "sketches": "Controlplane, the day (reference sketched before)",
    "sketches_both": "Controlplane, reference and day",
    "evidently_psi": "Evidently, PSI for every column",
    "evidently": "Evidently, its default tests",
}


def make_rows(path: Path, rows: int, columns: int, *, drifts: bool, seed: int) -> None:
    """Write a Parquet file of generated rows unless it exists."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.exists():
        return
    random = np.random.default_rng(seed)
    data: dict[str, Any] = {}
    for number in range(columns):
        moved = drifts and number % 3 == 0
        if number % 5 == 4:
            size = 5 + number % 40
            weights = np.ones(size) * (1 + 0.3 * np.linspace(-1, 1, size) * moved)
            picked = random.choice(size, rows, p=weights / weights.sum()).astype(np.int32)
            words = pa.array([f"value {each}" for each in range(size)])
            data[f"c{number}"] = pa.DictionaryArray.from_arrays(pa.array(picked), words)
            continue
        shape = number % 6
        values = (
            random.normal(0, 1, rows) if shape == 0
            else random.lognormal(0, 1, rows) if shape == 1
            else random.exponential(1, rows) if shape == 2
            else random.uniform(0, 1, rows) if shape == 3
            else random.gamma(2, 2, rows) if shape == 4
            else random.poisson(30, rows).astype(float)
        )  # fmt: skip
        data[f"n{number}"] = values * (1 + 0.05 * moved) + 0.1 * moved
    pq.write_table(pa.table(data), path, row_group_size=1 << 18)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure_sketches(reference: str, current: str, *, both: bool) -> dict[str, Any]:
    from measures.drift import drift, psi_of_equal_widths
    from measures.scan import frame_of, sketch_of

    began, wall = _cpu(), time.perf_counter()
    frame = frame_of(reference)
    before = sketch_of(reference, frame)
    if not both:
        began, wall = _cpu(), time.perf_counter()
    now = sketch_of(current, frame)
    for name, column in now.columns.items():
        drift(before.columns[name], column)
    used, lasted = _cpu() - began, time.perf_counter() - wall
    found = {name: psi_of_equal_widths(before.columns[name], column) for name, column in now.columns.items()}
    return {"cpu": used, "wall": lasted, "psi": found, "bytes": len(now.to_bytes())}


def measure_evidently(reference: str, current: str, *, psi: bool) -> dict[str, Any]:
    import warnings

    warnings.filterwarnings("ignore")
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    began, wall = _cpu(), time.perf_counter()
    sides = [pd.read_parquet(path) for path in (reference, current)]
    numbers = [name for name in sides[0] if sides[0][name].dtype.kind in "fi"]
    words = [name for name in sides[0] if name not in numbers]
    for side in sides:
        for name in words:
            side[name] = side[name].astype(str)
    kinds = DataDefinition(numerical_columns=numbers, categorical_columns=words)
    before, now = (Dataset.from_pandas(side, data_definition=kinds) for side in sides)
    preset = DataDriftPreset(method="psi") if psi else DataDriftPreset()
    answer = Report([preset]).run(now, before).dict()
    found = {
        m["config"]["column"]: float(m["value"]) for m in answer["metrics"] if "column" in m.get("config", {})
    }
    return {"cpu": _cpu() - began, "wall": time.perf_counter() - wall, "psi": found if psi else {}}


MEASURES = {
    "sketches": lambda *paths: measure_sketches(*paths, both=False),
    "sketches_both": lambda *paths: measure_sketches(*paths, both=True),
    "evidently_psi": lambda *paths: measure_evidently(*paths, psi=True),
    "evidently": lambda *paths: measure_evidently(*paths, psi=False),
}


def python_with_evidently(cache: Path) -> Path:
    """The interpreter of Evidently's environment, made on first use."""
    home = cache / "evidently-0.7.23"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        print(f"making {home} (once)", file=sys.stderr)
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *EVIDENTLY], check=True)
        (home / "ready").touch()
    return python


def run(tool: str, python: Path | str, paths: tuple[Path, Path]) -> dict[str, Any]:
    command = [str(python), __file__, "--child", tool, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise SystemExit(f"{tool} failed: {done.stderr.strip()[-2000:]}")
    return dict(json.loads(lines[0].removeprefix("RESULT ")))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        tool, *paths = options.child
        answer = MEASURES[tool](*paths)
        answer["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print("RESULT " + json.dumps(answer))
        return
    import report

    report.CACHE.mkdir(parents=True, exist_ok=True)
    case = f"{options.rows}x{options.columns}"
    paths = (report.CACHE / f"reference-{case}.parquet", report.CACHE / f"day-{case}.parquet")
    make_rows(paths[0], options.rows, options.columns, drifts=False, seed=1)
    make_rows(paths[1], options.rows, options.columns, drifts=True, seed=2)
    pythons = dict.fromkeys(("sketches", "sketches_both"), Path(sys.executable))
    pythons |= dict.fromkeys(("evidently_psi", "evidently"), python_with_evidently(report.CACHE))
    answers: dict[str, list[dict[str, Any]]] = {tool: [] for tool in NAMES}
    for _ in range(options.rounds):
        for tool in NAMES:
            # Evidently takes minutes and varies little: once is enough.
            if tool.startswith("evidently") and answers[tool]:
                continue
            answers[tool].append(run(tool, pythons[tool], paths))
            print(
                f"{tool:14} cpu {answers[tool][-1]['cpu']:8.2f} s  {answers[tool][-1]['memory_mb']:6.0f} MB"
            )
    report.write_section("drift", section(options.rows, options.columns, answers, report.machine()))


def section(rows: int, columns: int, answers: dict[str, list[dict[str, Any]]], machine: str) -> str:
    ours, theirs = answers["sketches"][0]["psi"], answers["evidently_psi"][0]["psi"]
    apart = max(abs(ours[name] - value) for name, value in theirs.items())
    beyond = max(abs(ours[name] - value) / max(value, 1e-9) for name, value in theirs.items() if value > 0.05)
    base = statistics.median(each["cpu"] for each in answers["sketches"])
    table = "\n".join(
        f"| {NAMES[tool]} | {statistics.median(each['cpu'] for each in found):.2f} | "
        f"{statistics.median(each['cpu'] for each in found) / base:,.0f} | "
        f"{statistics.median(each['wall'] for each in found):.2f} | "
        f"{statistics.median(each['memory_mb'] for each in found):,.0f} |"
        for tool, found in answers.items()
    )
    return f"""## Drift of one day: {rows:,} rows x {columns} columns

| | CPU seconds | times ours | wall seconds | peak memory, MB |
| --- | ---: | ---: | ---: | ---: |
{table}

Parquet reading included, imports left out; median of {len(answers["sketches"])} runs of ours.
A day's sketch of all columns takes {answers["sketches"][0]["bytes"] / 1024:,.0f} kB. PSI on Evidently's own bins, from
our sketches: at most {apart:.4f} from Evidently's figure on any column, {beyond:.1%} where PSI is above 0.05.
{machine}."""


if __name__ == "__main__":
    main()
