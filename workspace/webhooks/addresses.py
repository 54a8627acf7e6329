"""Which addresses may be called: public ones behind https, and hosts the operator has named.

What a name resolves to is checked when it is called (see ``backends``), since it may change; what
can be seen in the address itself is refused at once, with a sentence.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from core.errors import Invalid
from core.text import checked_text

LONGEST_URL = 2000
LONGEST_HOST = 253
# Of version 6 only 2000::/3 is given out (RFC 4291): the rest is site-local, or carries an address of
# version 4 that a gateway may unwrap.
NOT_GIVEN_OUT = tuple(ipaddress.IPv6Network(each) for each in ("::/3", "4000::/2", "8000::/1"))
LABEL = re.compile(r"^(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
# Reserved so that they never resolve (RFC 2606, 7686).
NEVER_THERE = {"invalid", "example", "test", "onion"}
PUBLIC = "an https address of a public host"
PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".localdomain", ".home.arpa")


def checked_url(value: object) -> str:
    """The address, or Invalid saying why events may not be sent there."""
    url = checked_text(value, "url", LONGEST_URL, min_length=1)
    if any(character.isspace() or character == "\\" for character in url):
        raise _refused("url must not hold spaces or backslashes.")
    parts = _split(url)
    host = (parts.hostname or "").lower().rstrip(".")
    if parts.scheme not in {"http", "https"} or not host:
        raise _refused("url must be a complete https address.")
    if parts.username is not None or parts.password is not None:
        raise _refused("url must not hold a user name or password.")
    if parts.fragment:
        raise _refused("url must not hold a fragment (#…).")
    if parts.port == 0:
        raise _refused("url names port 0, which nobody listens on.")
    if _literal(host) is None:
        _require_host_name(host)
    if is_named(host):
        return url
    if _is_private(host):
        raise _refused(
            f"{host[:100]} is a private address; an operator can name it in WEBHOOK_ALLOWED_HOSTS."
        )
    if parts.scheme != "https":
        raise _refused("url must begin with https://; the signature proves who sent, not that nobody read.")
    return url


def is_named(host: str) -> bool:
    """Whether the operator lets webhooks call this host although it is private."""
    return host.lower() in settings.WEBHOOK_ALLOWED_HOSTS


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise _refused("url is not an address; look at its host and port.") from None
    return parts


def _require_host_name(host: str) -> None:
    """What no name server could ever answer is told now, and not by a delivery that fails."""
    try:
        labels = host.encode("idna").decode().split(".")
    except UnicodeError:
        raise _refused(f"{host[:100]} is no host name; look at its dots and letters.") from None
    if len(".".join(labels)) > LONGEST_HOST or not all(LABEL.match(each) for each in labels):
        raise _refused(f"{host[:100]} is no host name; look at its dots and letters.")
    if labels[-1].isdigit():
        raise _refused(f"{host[:100]} is neither a host name nor an IP address.")
    if labels[-1] in NEVER_THERE:
        raise _refused(f"{host[:100]} ends in .{labels[-1]}, which no name server ever answers.")


def _is_private(host: str) -> bool:
    address = _literal(host)
    if address is not None:
        return not is_public(address)
    return host == "localhost" or "." not in host or host.endswith(PRIVATE_ENDINGS)


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether anybody's machine may have it."""
    return address.is_global and not address.is_multicast and not any(address in net for net in NOT_GIVEN_OUT)


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address a host means without asking a name server, however it is spelled (127.1, 0x7f000001)."""
    with suppress(OSError, UnicodeEncodeError):
        return ipaddress.IPv4Address(socket.inet_aton(host))
    try:
        address = ipaddress.IPv6Address(host.split("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address.sixtofour or address


def _refused(message: str) -> Invalid:
    return Invalid(message, field="url", allowed=PUBLIC)
