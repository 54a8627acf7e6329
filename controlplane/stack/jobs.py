"""Our Celery processes without the ``celery`` command: its shell alone is 10 MB in each of them.

python -m controlplane.stack.jobs worker --name default --queues default,deployments
python -m controlplane.stack.jobs beat --queues webhooks
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from typing import Any

from celery.apps.worker import Worker
from celery.beat import Service
from celery.utils.nodenames import host_format

from controlplane.celery import app

log = logging.getLogger(__name__)
LEVEL = "WARNING"
# Jobs that wait for somebody else's answer, so many at once.
WAITING_AT_ONCE = 8


def keep_time(queues: str) -> int:
    """Beat as a thread, beside jobs that compute nothing: a process of their own would be another 70 MB."""
    app.loader.init_worker()
    app.finalize()
    clock = Service(app, max_interval=1)  # so that it ends within a second of the worker
    threading.Thread(target=_tick, args=(clock,), name="clock", daemon=True).start()
    try:
        return work("beat", queues, pool="threads", concurrency=WAITING_AT_ONCE)
    finally:
        clock.stop(wait=True)


def _tick(clock: Service) -> None:
    """A clock that breaks takes its process along at once, which is then started anew; jobs are rows."""
    app.set_current()
    try:
        clock.start()
    except BaseException:
        log.exception("the clock broke")
        os._exit(1)


def work(name: str, queues: str, **more: Any) -> int:
    """One job at a time, of these queues; nobody else on this host is told of it."""
    worker = Worker(
        app,
        hostname=host_format(f"{name}@%h"),
        queues=queues,
        **{"concurrency": 1, **more},
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
    beat = kinds.add_parser("beat")
    for each in (worker, beat):
        each.add_argument("--queues", required=True, help="names, parted by commas")
    asked = parser.parse_args()
    return work(asked.name, asked.queues) if asked.kind == "worker" else keep_time(asked.queues)


if __name__ == "__main__":
    sys.exit(main())
