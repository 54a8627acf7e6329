"""How often one account, or one address that has not said who it is, may ask.

In memory: edge is one process. Who a token or session belongs to is learned from the answers it
got; until then its requests count for its address, so that guessing tokens is no way round.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from controlplane.edge.answers import Exchange, Refused
from controlplane.edge.rates import MOST_CALLERS, Pace, Rate
from controlplane.edge.reads import may_be_read_here

SESSION = b"sessionid="
# What is answered from here costs web nothing.
COST, COST_OF_A_READ_HERE = 1.0, 0.2
# A refusal is an event that is kept for years: 200 at once and 20 a second, no more.
COST_OF_AN_EVENT = 50.0
FREE = frozenset({"/healthz", "/readyz"})


class Limits:
    """Says whether a request may pass, and learns who sent it."""

    def __init__(self, accounts: Rate, anonymous: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._accounts, self._anonymous = Pace(accounts, clock), Pace(anonymous, clock)
        self._known: OrderedDict[bytes, str] = OrderedDict()

    def require(self, exchange: Exchange) -> None:
        """Refuse with 429 what comes too often."""
        scope = exchange.scope
        if scope["path"] in FREE:
            return
        cost = COST_OF_A_READ_HERE if may_be_read_here(scope) else COST
        account = self._account_of(credentials_of(scope))
        pace, caller = (self._accounts, account) if account else (self._anonymous, place_of(exchange.address))
        wait = pace.wait_of(caller, cost)
        if wait:
            seconds = math.ceil(wait)
            raise Refused(
                429,
                f"Too many requests: at most {pace.rate.per_second:g} a second"
                f" {'for an account' if account else 'from an address that is not signed in'}."
                f" Try again in {seconds} second{'s' if seconds > 1 else ''}. Nothing has been changed.",
                retry_after=seconds,
            )

    def learn(self, exchange: Exchange) -> None:
        """Whose credentials these were, once an answer has shown it; who was refused is nobody."""
        key = credentials_of(exchange.scope)
        if key is None:
            return
        if exchange.account_id and exchange.status != 401:
            self._known[key] = exchange.account_id
            self._known.move_to_end(key)
            if len(self._known) > MOST_CALLERS:
                self._known.popitem(last=False)
            if exchange.is_recorded:
                self._accounts.charge(exchange.account_id, COST_OF_AN_EVENT)
        elif exchange.status == 401:
            self._known.pop(key, None)

    def _account_of(self, key: bytes | None) -> str:
        return self._known.get(key, "") if key is not None else ""


def credentials_of(scope: Any) -> bytes | None:
    """A digest of the token in the request, else of its session; None without either or with two tokens.

    Where there is a token nothing beside it counts, or each request could bring another cookie
    and be nobody's.
    """
    tokens = [value for name, value in scope["headers"] if name == b"authorization"]
    if tokens:
        return hashlib.sha256(tokens[0]).digest() if len(tokens) == 1 else None
    session = b""
    for name, value in scope["headers"]:
        if name == b"cookie":
            parts = (each.strip() for each in value.split(b";"))
            session = next((each for each in parts if each.startswith(SESSION)), session)
    return hashlib.sha256(b"\0" + session).digest() if session else None


def place_of(address: str) -> str:
    """An address of version 6 is one of a household's many: they share the first half."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((int(known) >> 64 << 64, 64))) if known.version == 6 else address
