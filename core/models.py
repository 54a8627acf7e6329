"""Tables of core: Django looks for them here."""

from core.api.models import IdempotentAnswer
from core.jobs.models import Job, PeriodicRun

__all__ = ["IdempotentAnswer", "Job", "PeriodicRun"]
