"""Changes in monitoring: labels, references and windows."""

from monitoring.services.labels import GivenLabel, checked_labels, mark_stale, record_labels
from monitoring.services.refreshing import (
    hold_fence,
    is_refreshing,
    renew_reference,
    request_reference,
    request_refresh,
    take_fence,
    watch_of,
)

__all__ = [
    "GivenLabel",
    "checked_labels",
    "hold_fence",
    "is_refreshing",
    "mark_stale",
    "record_labels",
    "renew_reference",
    "request_reference",
    "request_refresh",
    "take_fence",
    "watch_of",
]
