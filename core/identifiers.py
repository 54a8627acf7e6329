"""Public identifiers: UUID version 7 (RFC 9562), so that rows sort by creation."""

import uuid

import uuid6


def new_id() -> uuid.UUID:
    """A new UUIDv7 as the standard library's type."""
    return uuid.UUID(int=uuid6.uuid7().int)
