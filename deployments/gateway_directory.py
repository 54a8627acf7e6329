"""A gateway's view of routes and rights: read from the database beside the path of requests.

Rights are asked of the same functions as everywhere, at most once a second for a token and an
endpoint. Without the database the gateway goes on with what it knew, also after a restart.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import Error, connection, connections

from accounts.authentication import token_actor
from accounts.token_lookup import secret_from_header
from audit.services import record_denied
from core.actors import holds
from deployments.models import Endpoint, TrafficCount
from deployments.notices import CHANNEL
from deployments.routes import routing_document
from deployments.serving.directory import Access
from deployments.serving.refusal import Refusal
from deployments.serving.routing import Route, RoutingTable, write_private
from deployments.serving.traffic import Count, Key, Traffic

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0
FRESH_SECONDS = 1.0
STALE_SECONDS = 4 * 3600.0
MOST_DECISIONS = 10_000
SAVE_EVERY_SECONDS = 10.0


@dataclass(frozen=True)
class Decision:
    """What a token was found to be allowed, and when."""

    access: Access
    at: float


class DatabaseDirectory:
    """Implements ``serving.directory.Directory``."""

    def __init__(self, saved: Path) -> None:
        self.saved = saved
        self.table = RoutingTable([])
        self.gateway = uuid.uuid4().hex[:12]
        self._loaded = False
        self._decisions: dict[str, Decision] = {}
        self._saved_at = 0.0
        self._stopping = threading.Event()
        self._asking = ThreadPoolExecutor(2, thread_name_prefix="rights")
        self._traffic: Traffic

    def start(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._read_saved()
        threading.Thread(target=self._keep_fresh, name="directory", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self._asking.submit(self._in_thread(self._flush)).result(5)
        self._asking.shutdown(wait=False)

    def trouble(self) -> str:
        return "" if self._loaded else "The routing table has not been read yet."

    async def access(self, authorization: str, route: Route | None) -> Access:
        secret = secret_from_header(authorization) if authorization else None
        if not secret:
            return Access.UNAUTHENTICATED
        key = f"{hashlib.sha256(secret.encode()).hexdigest()} {route.endpoint if route else ''}"
        known = self._decisions.get(key)
        if known is not None and time.time() - known.at < FRESH_SECONDS:
            return known.access
        loop = asyncio.get_running_loop()
        try:
            access = await loop.run_in_executor(self._asking, self._in_thread(lambda: decide(secret, route)))
        except Error:
            if known is not None and time.time() - known.at < STALE_SECONDS:
                return known.access
            raise Refusal(
                503,
                "rights_unknown",
                "The database does not answer, and this token is not known here.",
                headers={"Retry-After": "5"},
            ) from None
        if len(self._decisions) >= MOST_DECISIONS:
            self._decisions.clear()
        self._decisions[key] = Decision(access, time.time())
        return access

    def _in_thread(self, work: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            connection.close_if_unusable_or_obsolete()
            try:
                return work()
            except Error:
                connection.close()
                raise

        return run

    def _keep_fresh(self) -> None:
        """Look when told that something changed, and every second in any case."""
        while not self._stopping.is_set():
            try:
                connection.ensure_connection()
                with connection.cursor() as cursor:
                    cursor.execute(f"LISTEN {CHANNEL}")
                while not self._stopping.is_set():
                    self._read()
                    self._flush()
                    for _ in connection.connection.notifies(timeout=LOOK_EVERY_SECONDS, stop_after=1):
                        pass
            except Exception as error:  # whatever it is, what we know is served on and we look again
                log.warning("routes cannot be read, going on with what is known: %s", error)
                connection.close()
                self._stopping.wait(LOOK_EVERY_SECONDS)
        connections.close_all()

    def _read(self) -> None:
        document = routing_document()
        if document != self.table.document or not self._loaded:
            self.table = RoutingTable.from_document(document)
            self._saved_at = 0.0
        self._loaded = True
        if time.monotonic() - self._saved_at > SAVE_EVERY_SECONDS or not self._saved_at:
            self._save()

    def _save(self) -> None:
        allowed = {
            key: each.at for key, each in list(self._decisions.items()) if each.access is Access.ALLOWED
        }
        text = json.dumps({"table": self.table.document, "allowed": allowed})
        try:
            write_private(self.saved, text)
        except OSError as error:
            log.warning("the routing table cannot be kept: %s", error)
        self._saved_at = time.monotonic()

    def _read_saved(self) -> None:
        try:
            kept = json.loads(self.saved.read_text())
            self.table = RoutingTable.from_document(kept["table"])
            self._decisions = {key: Decision(Access.ALLOWED, at) for key, at in kept["allowed"].items()}
            self._loaded = True
        except (OSError, ValueError, TypeError, KeyError):
            log.info("no routing table is kept from before")

    def _flush(self) -> None:
        """Write down what was counted since the last time."""
        taken = self._traffic.take_changed()
        if not taken:
            return
        try:
            TrafficCount.objects.bulk_create(
                [_row(key, count, self.gateway) for key, count in taken],
                update_conflicts=True,
                unique_fields=["deployment", "step", "minute", "gateway"],
                update_fields=["requests", "rows", "refused", "errors", "latency"],
            )
        except Error:
            self._traffic.put_back(taken)
            raise


def decide(secret: str, route: Route | None) -> Access:
    """Ask the one implementation of rights."""
    actor = token_actor(secret)
    if actor is None:
        return Access.UNAUTHENTICATED
    person = replace(actor, scopes=None)
    endpoint = (
        Endpoint.objects.visible_to(person)
        .select_related("model", "environment")
        .filter(pk=route.endpoint)
        .first()
        if route
        else None
    )
    if endpoint is None:
        return Access.UNKNOWN
    if actor.scope_allows("predict") and holds(person, "predict", endpoint.model):
        return Access.ALLOWED
    record_denied(
        actor=actor,
        action="deployments.predict",
        target=endpoint,
        reason="No right or scope to predict.",
        code="wrong_scope",
    )
    return Access.WRONG_SCOPE


def _row(key: Key, count: Count, gateway: str) -> TrafficCount:
    deployment, step, minute = key
    return TrafficCount(
        deployment_id=deployment,
        step=step,
        minute=datetime.fromtimestamp(minute * 60, tz=UTC),
        gateway=gateway,
        requests=count.requests,
        rows=count.rows,
        refused=count.refused,
        errors=count.errors,
        latency={str(bucket): number for bucket, number in count.latency.items()},
    )
