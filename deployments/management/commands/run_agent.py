"""``manage.py run_agent``: run the scorers of this host."""

from __future__ import annotations

import fcntl
import signal
import time
from typing import Any

from django.core.management.base import BaseCommand

from deployments.agent import Agent
from deployments.folders import agent_lock


class Command(BaseCommand):
    help = "Run the scorers of this host: one agent per data folder, until stopped."
    # Checks would load every page of web into a process that shows none.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        path = agent_lock()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        agent = Agent()

        def stop(*_: object) -> None:
            agent.is_stopping = True

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        with path.open("w") as lock:
            while not agent.is_stopping:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:  # the former agent is still going
                    time.sleep(0.5)
                    continue
                agent.run()
