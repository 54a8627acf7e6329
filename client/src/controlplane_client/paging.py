"""A list as an iterator: pages are fetched as they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from controlplane_client.records import Record
from controlplane_client.transport import Transport

R = TypeVar("R", bound=Record)
PAGE = 100


def pages(transport: Transport, path: str, kind: type[R], query: dict[str, Any] | None = None) -> Iterator[R]:
    """Every item, in the order of the server; filters that are None are left out."""
    asked = {name: value for name, value in (query or {}).items() if value is not None}
    address: str | None = path
    parameters: dict[str, Any] | None = {"limit": PAGE, **asked}
    while address:
        page = transport.json("GET", address, params=parameters)
        for item in page["items"]:
            yield kind.of(item)
        address, parameters = _own(page.get("next")), None


def _own(address: str | None) -> str | None:
    """The next page on the address we were given: a proxy may have another name for the server."""
    if not address:
        return None
    return "/" + address.split("://", 1)[-1].split("/", 1)[1] if "://" in address else address
