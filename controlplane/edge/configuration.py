"""What edge must know: addresses, secrets, limits. Read once from the environment."""

from __future__ import annotations

import ipaddress
import math
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from controlplane.edge.rates import FOR_ACCOUNTS, FOR_ADDRESSES, Rate
from controlplane.environment import Environment

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Configuration:
    """Sizes in bytes, times in seconds."""

    web_socket: str
    tracking_socket: str
    tracking_secret: str
    database_url: str
    tracking_database_url: str
    trusted_proxies: tuple[Network, ...]
    largest_body: int
    largest_artifact: int
    account_rate: Rate = FOR_ACCOUNTS
    anonymous_rate: Rate = FOR_ADDRESSES
    largest_call: int = 16 << 20
    idle_seconds: float = 60
    answer_seconds: float = 120

    @classmethod
    def from_environment(cls) -> Configuration:
        environment = Environment(Path(os.environ.get("DATA_DIR") or "var").absolute())
        is_https = urlsplit(environment.get("PUBLIC_URL", "http://127.0.0.1:8000")).scheme == "https"
        # Whoever ends TLS on this host says who the client is; nobody else is believed.
        proxies = environment.get("TRUSTED_PROXIES", "127.0.0.1,::1" if is_https else "")
        known = cls(
            web_socket=environment.get("WEB_SOCKET"),
            tracking_socket=environment.get("TRACKING_SOCKET"),
            tracking_secret=environment.get("TRACKING_SECRET") or environment.key("tracking_secret"),
            database_url=environment.get("DATABASE_URL"),
            tracking_database_url=environment.get("DATABASE_TRACKING_URL"),
            trusted_proxies=tuple(
                ipaddress.ip_network(each.strip()) for each in proxies.split(",") if each.strip()
            ),
            largest_body=int(environment.get("LARGEST_BODY_BYTES", str(2 << 30))),
            largest_artifact=int(environment.get("LARGEST_ARTIFACT_BYTES", str(10 << 30))),
            account_rate=_rate(environment, "ACCOUNT", cls.account_rate),
            anonymous_rate=_rate(environment, "ANONYMOUS", cls.anonymous_rate),
        )
        for name in (
            "web_socket",
            "tracking_socket",
            "tracking_secret",
            "database_url",
            "tracking_database_url",
        ):
            if not getattr(known, name):
                word = {"tracking_database_url": "DATABASE_TRACKING_URL"}.get(name, name.upper())
                raise SystemExit(f"{word} is not set and no stack is running: make up")
        return known


def _rate(environment: Environment, whose: str, default: Rate) -> Rate:
    """``ACCOUNT_REQUESTS_PER_SECOND`` and ``ACCOUNT_REQUESTS_BURST``: ten seconds' worth unless it is said."""
    name = f"{whose}_REQUESTS_PER_SECOND"
    per_second = _number(name, environment.get(name, f"{default.per_second:g}"), smallest=0)
    name = f"{whose}_REQUESTS_BURST"
    return Rate(per_second, _number(name, environment.get(name, f"{max(10 * per_second, 1):g}"), smallest=1))


def _number(name: str, text: str, *, smallest: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= smallest):
        raise SystemExit(f"{name} must be a number from {smallest:g}, not {text!r}.")
    return value
