"""Where an S3 source may point: hosts the operator has named, buckets and prefixes as S3 spells them."""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import urlsplit

from django.conf import settings

from core.errors import Invalid
from core.text import checked_text

BUCKET = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
REGION = re.compile(r"^[a-z0-9-]{1,32}\Z")
LONGEST_PREFIX = 500


def checked_endpoint(value: str) -> str:
    """``https://host[:port]`` of a host in S3_SOURCE_ALLOWED_HOSTS, and nothing besides.

    A name that anybody may enter would let the installation call what only it can reach; so the
    operator names every host, public ones too, and vouches for what the name resolves to.
    """
    text = checked_text(value, "endpoint", 300, min_length=1).rstrip("/")
    with suppress(ValueError):
        parts = urlsplit(text)
        host, port = (parts.hostname or "").lower(), parts.port
        if parts.scheme in {"http", "https"} and text.lower() == _plain(parts.scheme, host, port):
            if not is_named(text):
                raise Invalid(
                    f"{host[:100]} is no host that an operator has named in S3_SOURCE_ALLOWED_HOSTS.",
                    field="endpoint",
                    allowed=", ".join(settings.S3_SOURCE_ALLOWED_HOSTS) or "none is named",
                )
            return text.lower()
    raise Invalid(
        "endpoint must be https:// (or http://), a host and perhaps a port, and nothing more.",
        field="endpoint",
        allowed="https://host or https://host:port",
    )


def is_named(endpoint: str) -> bool:
    """Whether the operator lets sources be read from this host; asked again at every read."""
    return (urlsplit(endpoint).hostname or "").lower() in settings.S3_SOURCE_ALLOWED_HOSTS


def checked_bucket(value: str) -> str:
    if not BUCKET.match(value) or ".." in value:
        allowed = "3 to 63 small letters, digits, '.' and '-', the first and last a letter or digit"
        raise Invalid(f"bucket must be {allowed}.", field="bucket", allowed=allowed)
    return value


def checked_region(value: str) -> str:
    if not REGION.match(value):
        allowed = "small letters, digits and '-', as us-east-1"
        raise Invalid(f"region must be {allowed}.", field="region", allowed=allowed)
    return value


def checked_prefix(value: str) -> str:
    """A beginning of keys; one that could be read as leaving its place is refused."""
    text = checked_text(value, "prefix", LONGEST_PREFIX)
    parts = text.split("/")
    if text.startswith("/") or "//" in text or "\\" in text or {".", ".."} & set(parts):
        allowed = "names joined by '/', none of them '.' or '..', the first character no '/'"
        raise Invalid(f"prefix must be {allowed}.", field="prefix", allowed=allowed)
    return text


def _plain(scheme: str, host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + (f":{port}" if port else "") if host else ""
