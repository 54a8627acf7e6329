"""Durable jobs: the row is the truth, the broker carries only "look at job N"."""

from core.jobs.lease import Lease, LeaseLost
from core.jobs.queue import enqueue
from core.jobs.registry import job, periodic

__all__ = ["Lease", "LeaseLost", "enqueue", "job", "periodic"]
