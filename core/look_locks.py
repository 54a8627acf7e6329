"""Of two who take names that look alike at the same moment, the second waits and sees the first."""

from core.hot_reads import fetch_row

# A statement of its own, since each sees what was committed before it began: the lock first, then the names.
LOCK_LOOK = "SELECT pg_advisory_xact_lock(hashtextextended(%s::text || ' ' || %s, 0))"


def lock_look(kind: str, look_sha256: str) -> None:
    """Until the transaction ends nobody else takes a name of this kind and look."""
    fetch_row(LOCK_LOOK, [kind, look_sha256])
