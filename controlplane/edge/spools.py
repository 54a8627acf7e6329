"""Large bodies go to the disk before web hears of them: only of who is signed in, and few at once.

What stays in memory (a form, a JSON document) passes; web says what becomes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from controlplane.edge.answers import Exchange, Refused
from controlplane.edge.places import Places
from controlplane.edge.upstream import Upstream

SIGNED_IN = "/internal/signed-in"
ACCOUNT = "X-Controlplane-Account"
# Files for web; every other body is a form or a JSON document. Artifacts stream past this.
UPLOADS = re.compile(r"^/(?:api/v1/datasets/[^/]+/versions/?|data/[^/]+/add/)\Z")
MOST_SPOOLS = 16
MOST_SPOOLS_OF_ONE = 4
CREDENTIALS = (b"authorization", b"cookie")


def largest_of(scope: dict[str, object], *, upload: int, other: int) -> int:
    """The most bytes a request to this address may have."""
    is_upload = scope["method"] == "POST" and UPLOADS.match(str(scope["path"]))
    return upload if is_upload else other


class Spools:
    """Places on the disk, counted together and for each account."""

    def __init__(self, web: Upstream) -> None:
        self.web = web
        self.places = Places(MOST_SPOOLS, MOST_SPOOLS_OF_ONE)

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A place that is taken when needed, and given back when the request is answered."""
        place = Place(self)
        try:
            yield place
        finally:
            place.give_back()


class Place:
    """The place of one request."""

    def __init__(self, spools: Spools) -> None:
        self.spools, self.account = spools, ""

    async def take(self, exchange: Exchange) -> None:
        """Refused: 401 without a live token or session, 503 while too many are held."""
        account = exchange.account_id or await self._account(exchange)
        if not self.spools.places.take(account):
            raise Refused(503, "Too many large requests are under way. Try again in a few seconds.")
        self.account = account

    def give_back(self) -> None:
        if self.account:
            self.spools.places.give_back(self.account)
            self.account = ""

    async def _account(self, exchange: Exchange) -> str:
        said = [(name, value) for name, value in exchange.scope["headers"] if name in CREDENTIALS]
        if not said:
            raise Refused(401, "Sign in before you send something large.")
        status, headers = await self.spools.web.ask(
            SIGNED_IN,
            b"",
            {
                "Host": "localhost",
                "X-Request-ID": exchange.request_id,
                "X-Forwarded-For": exchange.address,
                **{name.decode(): value.decode("latin1") for name, value in said},
            },
        )
        if status == 503:
            raise Refused(503, "web does not answer. Try again in a few seconds.")
        if status != 204:
            raise Refused(401, "Sign in before you send something large.")
        return headers[ACCOUNT]
