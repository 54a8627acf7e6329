"""Revisions as the outside sees them."""

import hashlib
from typing import Any


def etag_of(*parts: Any) -> str:
    """A strong validator from whatever changes with the resource."""
    return '"' + hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:32] + '"'
