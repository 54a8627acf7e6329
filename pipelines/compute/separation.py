"""The program that keeps rows back for judging: ``python -m pipelines.compute.separation``.

Reads paths and how to split, writes ``train.parquet`` and ``holdout.parquet`` into a folder.
The same request on the same rows gives the same bytes.
"""

from __future__ import annotations

from pipelines.confinement import confine

if __name__ == "__main__":
    confine()

import json
import sys
from pathlib import Path

from pipelines.compute.splitting import read_all, split


def main() -> int:
    request = json.loads(sys.stdin.read())
    table = read_all([Path(path) for path in request["paths"]], request["event_time_column"])
    try:
        training, holdout = split(
            table,
            kind=request["kind"],
            test_fraction=request["test_fraction"],
            seed=request["seed"],
            event_time_column=request["event_time_column"],
        )
    except ValueError as error:
        print(json.dumps({"refused": str(error)}))
        return 0
    folder = Path(request["folder"])
    for name, rows in (("train", training), ("holdout", holdout)):
        rows.write_parquet(folder / f"{name}.parquet", compression="zstd", row_group_size=100_000)
    print(json.dumps({"training_rows": training.height, "holdout_rows": holdout.height}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
