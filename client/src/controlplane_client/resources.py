"""What the resources share: addresses, items with their ETag, and changes that lose nobody's work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import quote

from controlplane_client.errors import ControlPlaneError
from controlplane_client.paging import pages
from controlplane_client.records import Record
from controlplane_client.transport import API, Transport

R = TypeVar("R", bound=Record)


def address(*parts: object) -> str:
    """Below /api/v1/; each part is one segment, whatever stands in it.

    An empty one would make the address of the list, and a dot that of something else.
    """
    for part in parts:
        if str(part).strip() in {"", ".", ".."}:
            detail = f"{str(part)!r} is no name and no number."
            raise ControlPlaneError({"status": 400, "code": "invalid", "title": "Invalid", "detail": detail})
    return API + "/".join(quote(str(part), safe="") for part in parts)


def given(**fields: Any) -> dict[str, Any]:
    """The fields somebody set."""
    return {name: value for name, value in fields.items() if value is not None}


class Resource:
    """A part of the client that speaks of one kind of thing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _item(self, kind: type[R], path: str) -> R:
        return self._read(kind, "GET", path)

    def _items(self, kind: type[R], path: str, **query: Any) -> Iterator[R]:
        return pages(self._transport, path, kind, query)

    def _send(self, kind: type[R], path: str, body: dict[str, Any]) -> R:
        return self._read(kind, "POST", path, json=body)

    def _change(self, kind: type[R], path: str, body: dict[str, Any], etag: str | None) -> R:
        """With the revision that was read; without one, the newest is read first."""
        seen = etag or self._item(kind, path).etag or "*"
        return self._read(kind, "PATCH", path, json=body, headers={"If-Match": seen})

    def _read(self, kind: type[R], method: str, path: str, **more: Any) -> R:
        response = self._transport.call(method, path, **more)
        return kind.of(response.json(), response.headers.get("ETag"))
