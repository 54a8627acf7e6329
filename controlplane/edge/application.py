"""The ASGI application: who gets which request."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import IO, Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from controlplane.edge import headers, upstream
from controlplane.edge.answers import ClientGone, Exchange, Refused
from controlplane.edge.configuration import Configuration
from controlplane.edge.identity import Identity
from controlplane.edge.limits import Limits
from controlplane.edge.ownership import Ownership
from controlplane.edge.reads import Reads, may_be_read_here
from controlplane.edge.spools import Spools, largest_of
from controlplane.edge.tracking import Tracking
from controlplane.edge.upstream import Upstream
from controlplane.edge.upstream_errors import in_our_words

MLFLOW = re.compile(r"^/(ajax-)?api/(2\.0|3\.0)/mlflow(-artifacts)?/")
INTERNAL = re.compile(r"^/+internal(/|$)", re.IGNORECASE)

log = logging.getLogger(__name__)


class Edge:
    """Built empty; the worker's start-up gives it its connections."""

    def __init__(self) -> None:
        self.configuration: Configuration | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.start(Configuration.from_environment())
                except SystemExit as error:
                    log.critical("%s", error)
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def start(self, configuration: Configuration) -> None:
        self.configuration = configuration
        seconds = configuration.answer_seconds
        self.limits = Limits(configuration.account_rate, configuration.anonymous_rate)
        ahead, streamed = upstream.WEB_READ_AHEAD, upstream.STREAM_READ_AHEAD
        self.web = Upstream(
            "web", configuration.web_socket, answer_seconds=seconds, read_ahead=ahead, is_web=True
        )
        tracking = configuration.tracking_socket
        self.server = Upstream(
            "tracking", tracking, answer_seconds=seconds, read_ahead=streamed, in_our_words=in_our_words
        )
        # Never a kept-alive connection: one found dead would be tried again with half a body gone.
        self.uploads = Upstream(
            "tracking",
            tracking,
            answer_seconds=seconds,
            read_ahead=streamed,
            is_kept=False,
            in_our_words=in_our_words,
        )
        self.tokens_pool = _pool(configuration.database_url)
        self.tracking_pool = _pool(configuration.tracking_database_url)
        for pool in (self.tokens_pool, self.tracking_pool):
            await pool.open(wait=False)  # a database that is away is a 503 later, not a dead edge
        identity, ownership = Identity(self.tokens_pool), Ownership(self.tracking_pool)
        self.spools = Spools(self.web)
        self.reads = Reads(identity)
        self.tracking = Tracking(
            configuration,
            identity,
            ownership,
            server=self.server,
            uploads=self.uploads,
            web=self.web,
            spools=self.spools,
        )

    async def stop(self) -> None:
        for each in (self.web, self.server, self.uploads, self.tokens_pool, self.tracking_pool):
            await each.close()

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        began = time.perf_counter()
        assert self.configuration is not None
        address, scheme = headers.about_client(scope, self.configuration.trusted_proxies)
        exchange = Exchange(
            scope, receive, send, headers.request_id(scope), address, scheme, self.limits.learn
        )
        is_mlflow = MLFLOW.match(scope["path"]) is not None
        try:
            self.limits.require(exchange)
            await self._route(exchange, is_mlflow=is_mlflow)
        except ClientGone:
            exchange.status = 499
        except Refused as refused:
            await exchange.refuse(refused, as_mlflow=is_mlflow)
        except Exception as error:
            _log(exchange, began, error=f"{type(error).__name__}: {error}"[:500])
            if exchange.status:
                raise  # the answer has begun; the server cuts it off, so that nobody takes it for whole
            await exchange.refuse(
                Refused(500, "This failed on our side; the logs know why."), as_mlflow=is_mlflow
            )
            return
        _log(exchange, began)

    async def _route(self, exchange: Exchange, *, is_mlflow: bool) -> None:
        if INTERNAL.match(exchange.scope["path"]):
            raise Refused(404, "There is nothing here.")
        if is_mlflow and await self.tracking.answer(exchange):
            return
        await self._to_web(exchange)

    async def _to_web(self, exchange: Exchange) -> None:
        """Hand the request on, unless it is a read that is answered here."""
        limits = self.configuration
        assert limits is not None
        largest = largest_of(exchange.scope, upload=limits.largest_body, other=limits.largest_call)
        with self.spools.place() as place:
            content, size = await upstream.whole(exchange, largest, limits.idle_seconds, place.take)
            if (
                may_be_read_here(exchange.scope)
                and isinstance(content, bytes)
                and await self.reads.answer(exchange, content)
            ):
                return
            await self._forward(exchange, content, size)

    async def _forward(self, exchange: Exchange, content: bytes | IO[bytes], size: int) -> None:
        scope = exchange.scope
        sent = [
            *headers.inbound(scope),
            (b"x-forwarded-for", exchange.address.encode()),
            (b"x-forwarded-proto", exchange.scheme.encode()),
            (b"x-request-id", exchange.request_id.encode()),
        ]
        if size:
            sent.append((b"content-length", str(size).encode()))
        target = scope["raw_path"].decode("latin1") + (
            "?" + scope["query_string"].decode("latin1") if scope["query_string"] else ""
        )
        body = content if isinstance(content, bytes) else upstream.read_out(content)
        await self.web.forward(exchange, target, sent, body or None)


def _pool(url: str) -> AsyncConnectionPool:
    kept: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0}
    return AsyncConnectionPool(
        url, min_size=1, max_size=4, timeout=5, open=False, kwargs=kept, configure=_plan_for_any_value
    )


async def _plan_for_any_value(connection: AsyncConnection) -> None:
    """The few statements asked here find rows by key: planned once, whatever the value."""
    await connection.execute("SET plan_cache_mode = force_generic_plan")


def _log(exchange: Exchange, began: float, **more: str) -> None:
    """One JSON line per request."""
    line = {
        "event": "request",
        "timestamp": datetime.now(UTC).isoformat(),
        "method": exchange.scope["method"],
        "path": exchange.scope["path"][:500],
        "status": exchange.status,
        "ms": round((time.perf_counter() - began) * 1000, 1),
        "address": exchange.address,
        "request_id": exchange.request_id,
        **({"account": exchange.who} if exchange.who else {}),
        **more,
    }
    print(json.dumps(line), file=sys.stderr)
