"""Our Celery processes without the ``celery`` command: its shell alone is 10 MB in each of them.

python -m controlplane.stack.jobs worker --name default --queues default,deployments
python -m controlplane.stack.jobs beat
"""

from __future__ import annotations

import argparse
import sys

from celery.apps.beat import Beat
from celery.apps.worker import Worker
from celery.utils.nodenames import host_format

from controlplane.celery import app

LEVEL = "WARNING"


def work(name: str, queues: str) -> int:
    """One job at a time, of these queues; nobody else on this host is told of it."""
    worker = Worker(
        app,
        hostname=host_format(f"{name}@%h"),
        queues=queues,
        concurrency=1,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel=LEVEL,
        quiet=True,
    )
    worker.start()
    return worker.exitcode or 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    worker = kinds.add_parser("worker")
    worker.add_argument("--name", required=True)
    worker.add_argument("--queues", required=True, help="names, parted by commas")
    kinds.add_parser("beat")
    asked = parser.parse_args()
    if asked.kind == "worker":
        return work(asked.name, asked.queues)
    Beat(app=app, pidfile="", loglevel=LEVEL, quiet=True).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
