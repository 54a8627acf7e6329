"""Answering one prediction request: choose a variant, check, score, log, mirror to shadows."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deployments.serving.directory import Directory
from deployments.serving.journal import Journal, JournalFailed
from deployments.serving.payload import Frame, parse
from deployments.serving.records import Header, encode, new_prediction_id
from deployments.serving.refusal import Refusal, bad_input
from deployments.serving.routing import CANARY, Route, Variant
from deployments.serving.schema import Checked
from deployments.serving.traffic import Traffic
from deployments.serving.wire import Pool, WireError

log = logging.getLogger(__name__)

Pairs = list[tuple[bytes, bytes]]
Answer = tuple[int, bytes, Pairs]

MOST_IN_FLIGHT = 256
MOST_SHADOWS = 512
SCORE_SECONDS = 30.0
# A scorer that died is loaded again in 5 to 15 s; its callers wait for that rather than fail.
PATIENCE_SECONDS = 20.0
RETRY_EVERY_SECONDS = 0.1


class Overtaken(Exception):
    """The deployment that was asked no longer takes part; it gave no answer."""


# Event times, in seconds since 1970.
EARLIEST, LATEST_AHEAD = 0.0, 2 * 366 * 86_400.0


@dataclass
class Asked:
    """One request on its way."""

    route: Route
    headers: dict[str, str]
    started: float
    served_us: int
    id: str = field(default_factory=new_prediction_id)

    def elapsed_ms(self) -> float:
        return (time.perf_counter() - self.started) * 1000


class Predictor:
    """Predictions of this gateway, and the connections to its scorers."""

    def __init__(self, directory: Directory, journal: Journal, traffic: Traffic, patience: float) -> None:
        self.directory, self.journal, self.traffic, self.patience = directory, journal, traffic, patience
        self.in_flight = 0
        self.shadows_dropped = 0
        self._pools: dict[str, Pool] = {}
        self._shadows: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Let shadows end, and close the journal so that it is sealed without delay."""
        if self._shadows:
            await asyncio.wait(self._shadows, timeout=2)
        await asyncio.to_thread(self.journal.close)
        for pool in self._pools.values():
            pool.close()

    async def ping(self, route: Route) -> Answer:
        stable = route.stable
        if stable is None:
            raise nothing_live(route)
        try:
            status, _ = await self._pool(stable).request("GET", "/ping", timeout=2)
        except WireError:
            status = 503
        if status != 200:
            raise scorer_away(stable)
        body = {"status": "ok", "version": stable.version, "deployment": stable.deployment}
        return 200, json.dumps(body).encode(), [(b"x-model-version", str(stable.version).encode())]

    async def predict(self, asked: Asked, body: bytes) -> Answer:
        key = asked.headers.get("x-routing-key")
        if key is not None and not 0 < len(key) <= 256:
            raise bad_input("X-Routing-Key must be 1 to 256 characters.", column="X-Routing-Key")
        variant = asked.route.choose(key)
        if variant is None:
            raise nothing_live(asked.route)
        if self.in_flight >= MOST_IN_FLIGHT:
            raise Refusal(
                503, "overloaded", "Too many predictions are under way.", headers={"Retry-After": "1"}
            )
        self.in_flight += 1
        try:
            return await self._score(asked, variant, body)
        finally:
            self.in_flight -= 1

    async def _score(self, asked: Asked, variant: Variant, body: bytes) -> Answer:
        try:
            frame = parse(body, asked.headers.get("content-type", ""), variant.schema.names)
            events = event_times(asked, frame)
            checked = variant.schema.check(frame)
        except Refusal as refusal:
            await self._log_refusal(asked, variant, refusal)
            raise
        inputs = json.dumps(checked.columns, separators=(",", ":")).encode()
        try:
            scores = await self._ask(asked, variant, inputs)
        except Overtaken:
            return await self._go_on(asked, body)
        except Refusal as refusal:
            await self._write(asked, variant, checked, events, inputs, b"", refusal.status)
            if variant.slot == CANARY and asked.route.stable is not None:
                # The canary's failure is counted and logged; the caller is served all the same.
                return await self._score(_again(asked), asked.route.stable, body)
            raise
        await self._write(asked, variant, checked, events, inputs, scores, 200)
        self._mirror(asked, variant, frame, events)
        headers = [
            (b"x-prediction-id", asked.id.encode()),
            (b"x-model-version", str(variant.version).encode()),
            (b"x-deployment-id", variant.deployment.encode()),
        ]
        return 200, b'{"predictions":' + scores + b"}", headers

    async def _go_on(self, asked: Asked, body: bytes) -> Answer:
        """A rollback or a new version came while this request waited: ask what answers now."""
        route = self.directory.table.route(asked.route.environment, asked.route.model)
        variant = route.choose(asked.headers.get("x-routing-key")) if route else None
        if route is None or variant is None:
            raise nothing_live(asked.route)
        asked.route = route
        return await self._score(asked, variant, body)

    async def _ask(self, asked: Asked, variant: Variant, inputs: bytes) -> bytes:
        """The scores as a JSON list; waits a little for a scorer that is being restarted."""
        deadline = time.monotonic() + (0 if variant.slot == CANARY else self.patience)
        while True:
            try:
                status, answer = await self._pool(variant).request(
                    "POST", "/invocations", b'{"inputs":' + inputs + b"}", timeout=SCORE_SECONDS
                )
            except WireError as error:
                log.warning("deployment %s: %s", variant.deployment, error)
                status, answer = 503, b""
            if status == 200:
                return json.dumps(json.loads(answer)["predictions"], separators=(",", ":")).encode()
            if status != 503 or time.monotonic() > deadline:
                raise scorer_away(variant) if status == 503 else model_failed(variant, answer)
            await asyncio.sleep(RETRY_EVERY_SECONDS)
            variant = self._now_routed(asked, variant)

    def _now_routed(self, asked: Asked, variant: Variant) -> Variant:
        """The deployment as it is routed now; Overtaken once the endpoint has gone on without it."""
        route = self.directory.table.route(asked.route.environment, asked.route.model)
        for each in route.variants if route else ():
            if each.deployment == variant.deployment:
                return each
        raise Overtaken

    async def _write(
        self,
        asked: Asked,
        variant: Variant,
        checked: Checked,
        events: list[int],
        inputs: bytes,
        scores: bytes,
        status: int,
    ) -> None:
        elapsed = asked.elapsed_ms()
        header = self._header(asked, variant, events, checked.rows, status, elapsed, checked.issues)
        await self._append(encode(header, inputs, scores))
        self.traffic.add(
            variant.deployment, variant.step, rows=checked.rows, status=status, latency_ms=asked.elapsed_ms()
        )

    async def _log_refusal(self, asked: Asked, variant: Variant, refusal: Refusal) -> None:
        """Bad input is a fact about the data, so it is in the log too, without its values."""
        issues = [{"column": each.get("column", ""), "code": each["code"]} for each in refusal.errors]
        issues = issues or [{"column": "", "code": refusal.code}]
        header = self._header(
            asked, variant, [asked.served_us], 1, refusal.status, asked.elapsed_ms(), issues
        )
        await self._append(encode(header, b"", b""))
        self.traffic.add(
            variant.deployment, variant.step, rows=0, status=refusal.status, latency_ms=asked.elapsed_ms()
        )

    def _header(
        self,
        asked: Asked,
        variant: Variant,
        events: list[int],
        rows: int,
        status: int,
        elapsed: float,
        issues: list[dict[str, Any]],
    ) -> Header:
        return Header(
            id=asked.id,
            served=asked.served_us,
            events=events,
            rows=rows,
            endpoint=asked.route.endpoint,
            deployment=variant.deployment,
            version=variant.version,
            slot=variant.slot,
            status=status,
            ms=round(elapsed, 3),
            step=variant.step,
            issues=issues,
        )

    async def _append(self, record: bytes) -> None:
        try:
            await self.journal.append(record)
        except JournalFailed:
            raise Refusal(
                503,
                "prediction_log_unavailable",
                "The prediction log cannot be written, so nothing is answered.",
                headers={"Retry-After": "5"},
            ) from None

    def _mirror(self, asked: Asked, answered: Variant, frame: Frame, events: list[int]) -> None:
        for shadow in asked.route.shadows:
            if shadow.deployment == answered.deployment:
                continue
            if len(self._shadows) >= MOST_SHADOWS:
                self.shadows_dropped += 1
                log.warning("shadow %s lags, %s is not mirrored", shadow.deployment, asked.id)
                continue
            task = asyncio.create_task(self._shadow(_again(asked, keep_id=True), shadow, frame, events))
            self._shadows.add(task)
            task.add_done_callback(self._shadows.discard)

    async def _shadow(self, asked: Asked, shadow: Variant, frame: Frame, events: list[int]) -> None:
        """The same rows through another version, under the same prediction id; nobody waits for it."""
        try:
            checked = shadow.schema.check(frame)
            inputs = json.dumps(checked.columns, separators=(",", ":")).encode()
            try:
                scores, status = await self._ask(asked, shadow, inputs), 200
            except Overtaken:
                return  # it is no shadow any more
            except Refusal as refusal:
                scores, status = b"", refusal.status
            await self._write(asked, shadow, checked, events, inputs, scores, status)
        except Refusal as refusal:
            log.info("shadow %s of %s: %s", shadow.deployment, asked.id, refusal.detail)

    def _pool(self, variant: Variant) -> Pool:
        pool = self._pools.get(variant.socket)
        if pool is None:
            wanted = self.directory.table.sockets()
            for socket in [each for each in self._pools if each not in wanted]:
                self._pools.pop(socket).close()
            pool = self._pools[variant.socket] = Pool(variant.socket)
        return pool


def _again(asked: Asked, *, keep_id: bool = False) -> Asked:
    fresh = Asked(asked.route, asked.headers, time.perf_counter(), asked.served_us)
    if keep_id:
        fresh.id = asked.id
    return fresh


def event_times(asked: Asked, frame: Frame) -> list[int]:
    """When the predicted things happen: per row from the endpoint's column, else X-Event-Time, else now."""
    column = asked.route.event_time_column
    if column and column in frame.columns:
        return [_microseconds(value, column, row) for row, value in enumerate(frame.columns[column])]
    header = asked.headers.get("x-event-time")
    return [_microseconds(header, "X-Event-Time")] if header is not None else [asked.served_us]


def _microseconds(value: Any, where: str, row: int | None = None) -> int:
    place = where if row is None else f"{where} in row {row}"
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        seconds = moment.timestamp()
    except (TypeError, ValueError, OverflowError):
        raise bad_input(
            f"{place} must be a time with its zone, as 2013-04-22T14:05:00Z (RFC 3339).",
            column=where,
            code="invalid_time",
            allowed="RFC 3339",
        ) from None
    # A mistyped year would otherwise end every range of the monitoring pages in the far future.
    if not EARLIEST <= seconds <= time.time() + LATEST_AHEAD:
        raise bad_input(
            f"{place} must lie between 1970 and two years from now.",
            column=where,
            code="invalid_time",
            allowed="1970-01-01 to two years from now",
        )
    return round(seconds * 1_000_000)


def nothing_live(route: Route) -> Refusal:
    return Refusal(
        503,
        "nothing_live",
        f"No version of {route.model} is live in {route.environment}.",
        headers={"Retry-After": "5"},
    )


def scorer_away(variant: Variant) -> Refusal:
    return Refusal(
        503,
        "scorer_unavailable",
        f"Version {variant.version} does not answer at the moment. It is restarted by itself.",
        headers={"Retry-After": "2"},
    )


def model_failed(variant: Variant, answer: bytes) -> Refusal:
    try:
        said = str(json.loads(answer).get("message", ""))[:300]
    except (ValueError, AttributeError):
        said = ""
    return Refusal(502, "model_failed", f"Version {variant.version} failed on this input. {said}".strip())
