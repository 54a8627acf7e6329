"""The program that reads the shipped flights: ``python -m pipelines.compute.ingestion``.

Reads ``{"months": [1, 2], "folder": …}`` and writes one Parquet file per month into the folder.
"""

from __future__ import annotations

from pipelines.confinement import confine

if __name__ == "__main__":
    confine()

import json
import sys
from pathlib import Path

from pipelines.compute.flights import write_months


def main() -> int:
    request = json.loads(sys.stdin.read())
    paths = write_months(request["months"], Path(request["folder"]))
    print(json.dumps({"files": [path.name for path in paths]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
