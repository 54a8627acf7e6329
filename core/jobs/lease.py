"""Holding a job: lease, heartbeat, fence."""

from __future__ import annotations

import os
import resource
import socket
import threading
import uuid
from typing import Any

from django.db import connection, connections
from django.db.models import F
from django.db.models.functions import Now

from core.jobs.models import LEASE, LOG_LINES, Job

HEARTBEAT_SECONDS = LEASE.total_seconds() / 3


class LeaseLost(Exception):
    """Another worker holds the job now, or it was cancelled: stop without writing anything."""


class Lease:
    """The right to run one job until it expires; every outcome carries its fence."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.job_id: uuid.UUID = job.pk
        self.fence: int = job.fence
        self.attempt: int = job.attempt
        self.payload: dict[str, Any] = job.payload
        self.lost = threading.Event()
        self.cancelled = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._usage = _usage()

    @classmethod
    def take(cls, job_id: uuid.UUID | str) -> Lease | None:
        """Lease the job if it is due; None when somebody else has it or it is over."""
        taken = (
            Job.objects.due()
            .filter(pk=job_id)
            .update(
                status=Job.Status.RUNNING,
                fence=F("fence") + 1,
                attempt=F("attempt") + 1,
                leased_by=f"{socket.gethostname()}:{os.getpid()}",
                lease_until=Now() + LEASE,
                started_at=Now(),
            )
        )
        return cls(Job.objects.get(pk=job_id)) if taken else None

    def mine(self) -> Any:
        """The row, only while this lease holds it."""
        return Job.objects.filter(pk=self.job_id, fence=self.fence, status=Job.Status.RUNNING)

    def beat(self) -> None:
        """Extend the lease, or notice that it is gone or that somebody cancelled."""
        if not self.mine().update(lease_until=Now() + LEASE):
            self.lost.set()
        elif self.mine().filter(cancel_requested_at__isnull=False).exists():
            self.cancelled.set()

    def check(self) -> None:
        """Raise LeaseLost once the job is cancelled or held by another worker."""
        if self.lost.is_set() or self.cancelled.is_set():
            raise LeaseLost(f"{self.job} is no longer ours.")

    def progress(self, percent: float, step: str) -> None:
        """Show how far the job is (0 to 100) and what it is doing."""
        self.check()
        whole = max(0, min(100, int(percent)))
        if not self.mine().update(progress_percent=whole, progress_step=step[:200]):
            self.lost.set()
            self.check()

    def log(self, line: str) -> None:
        """Append a line to the log tail, which keeps the newest ones."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE core_job SET log_tail = (array_append(log_tail, %s))"
                "[greatest(1, cardinality(log_tail) + 2 - %s):] WHERE id = %s AND fence = %s",
                [line.replace("\x00", "")[:2000], LOG_LINES, self.job_id, self.fence],
            )

    def __enter__(self) -> Lease:
        self._thread = threading.Thread(target=self._keep, name=f"heartbeat {self.job_id}", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=HEARTBEAT_SECONDS)

    def metered(self) -> dict[str, Any]:
        """CPU seconds and peak memory of this process and its ended children since the lease."""
        before, now = self._usage, _usage()
        return {"cpu_seconds": F("cpu_seconds") + max(0.0, now[0] - before[0]), "peak_memory_bytes": now[1]}

    def _keep(self) -> None:
        try:
            while not self._stop.wait(HEARTBEAT_SECONDS):
                self.beat()
                if self.lost.is_set():
                    return
        finally:
            connections.close_all()


def _usage() -> tuple[float, int]:
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    return cpu, max(own.ru_maxrss, children.ru_maxrss) * 1024
