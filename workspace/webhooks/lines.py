"""One call at a time to each receiver: who comes meanwhile waits in its line and holds no thread.

In memory, of one process: what a process that dies had in line still waits in its row, and is
found there after two minutes.
"""

from __future__ import annotations

import threading
import uuid

_lock = threading.Lock()
_called: set[uuid.UUID] = set()
_waiting: dict[uuid.UUID, dict[uuid.UUID, None]] = {}


def enter(webhook_id: uuid.UUID, delivery_id: uuid.UUID) -> bool:
    """Whether it is this delivery's turn; if not, it stands in line."""
    with _lock:
        if webhook_id in _called:
            _waiting.setdefault(webhook_id, {})[delivery_id] = None
            return False
        _called.add(webhook_id)
        return True


def leave(webhook_id: uuid.UUID) -> uuid.UUID | None:
    """The receiver is free: whose turn it is now, of those in line."""
    with _lock:
        _called.discard(webhook_id)
        line = _waiting.get(webhook_id, {})
        following = next(iter(line), None)
        if following is not None:
            del line[following]
        if not line:
            _waiting.pop(webhook_id, None)
        return following
