"""Which headers pass edge, and what it says about the client."""

from __future__ import annotations

import ipaddress
import re
import uuid
from typing import Any

from controlplane.edge.configuration import Network

Headers = list[tuple[bytes, bytes]]
REQUEST_ID = re.compile(rb"^[A-Za-z0-9_.-]{8,64}\Z")
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Only edge says these; from outside they are lies.
OURS = (b"x-forwarded-", b"x-controlplane-", b"x-accel-")
NEVER_IN = HOP_BY_HOP | {b"forwarded", b"x-real-ip", b"x-request-id", b"expect", b"content-length"}
NEVER_OUT = HOP_BY_HOP | {
    b"server",
    b"date",
    b"x-request-id",
    b"x-controlplane-account",
    b"x-controlplane-recorded",
}


def inbound(scope: Any) -> Headers:
    """The client's headers, without those that end here.

    Names with an underscore are dropped: WSGI cannot tell ``X_Forwarded_For`` from the real one.
    """
    named = _named_by_connection(scope["headers"])
    return [
        (name, value)
        for name, value in scope["headers"]
        if name not in NEVER_IN and name not in named and b"_" not in name and not name.startswith(OURS)
    ]


def outbound(raw: Any) -> Headers:
    """An upstream's headers, without those that end here."""
    lowered = [(name.lower(), value) for name, value in raw]
    named = _named_by_connection(lowered)
    return [(name, value) for name, value in lowered if name not in NEVER_OUT and name not in named]


def request_id(scope: Any) -> str:
    """The client's id of this request if it is well formed, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.match(value):
            return str(value.decode())
    return uuid.uuid4().hex


def about_client(scope: Any, trusted: tuple[Network, ...]) -> tuple[str, str]:
    """Address and scheme of the client, believing what trusted proxies say of it."""
    address, scheme = (scope.get("client") or ("",))[0], scope.get("scheme", "http")
    if not trusted or not _is_in(address, trusted):
        return address, scheme
    said = dict(scope["headers"])
    scheme = "https" if said.get(b"x-forwarded-proto", b"").strip() == b"https" else scheme
    for each in reversed(said.get(b"x-forwarded-for", b"").decode("latin1").split(",")):
        if not _is_address(each.strip()):
            break
        address = each.strip()
        if not _is_in(address, trusted):
            break
    return address, scheme


def _named_by_connection(headers: Any) -> frozenset[bytes]:
    for name, value in headers:
        if name == b"connection":
            return frozenset(each.strip().lower() for each in value.split(b",")) - {
                b"close",
                b"keep-alive",
                b"host",
            }
    return frozenset()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_in(text: str, networks: tuple[Network, ...]) -> bool:
    return _is_address(text) and any(ipaddress.ip_address(text) in each for each in networks)
