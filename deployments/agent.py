"""The agent of this host: it compares rows with processes and makes them agree.

It keeps nothing in memory that the rows do not say, so it can be killed at any moment: its
scorers die with it, and the next agent starts them again.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
from django.conf import settings
from django.db import Error, connection, transaction

from core.actors import Actor
from core.errors import DomainError, TryLater
from core.jobs import enqueue
from core.jobs.models import Job
from deployments import services
from deployments.folders import scorer_folder, socket_path
from deployments.health import health_check
from deployments.models import Deployment, Target
from deployments.notices import CHANNEL
from deployments.services.deploying import ADVANCE
from deployments.serving.sandbox import SandboxMissing, bubblewrap
from deployments.supervised import Supervised, materialised

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 0.5
METER_EVERY_SECONDS = 5.0
ADVANCE_EVERY_SECONDS = 2.0
STARTS_BEFORE_LIVE = 3
LONGEST_BACK_OFF_SECONDS = 30.0
# Gateways may route by what they read a second ago, and answers may be under way.
LINGER_SECONDS = 3.0
FINAL = {"digest_mismatch", "cannot_load", "sandbox_missing", "health_check_failed"}


class Agent:
    """Owns the scorers of the target ``local``."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.actor = Actor.system()
        self.running: dict[uuid.UUID, Supervised] = {}
        self.copying: dict[uuid.UUID, Future[None]] = {}
        self.retry_at: dict[uuid.UUID, float] = {}
        self.unwanted_since: dict[uuid.UUID, float] = {}
        self.is_stopping = False
        self._copier = ThreadPoolExecutor(1, thread_name_prefix="materialise")
        self._metered_at = self._advanced_at = 0.0

    def run(self) -> None:
        """Look, act, wait to be told that something changed; until stopped."""
        while not self.is_stopping:
            try:
                connection.ensure_connection()
                with connection.cursor() as cursor:
                    cursor.execute(f"LISTEN {CHANNEL}")
                while not self.is_stopping:
                    self.look()
                    for _ in connection.connection.notifies(timeout=LOOK_EVERY_SECONDS, stop_after=1):
                        pass
            except (Error, psycopg.Error) as error:  # notifies() raises psycopg's own
                log.warning("the database does not answer, scorers run on: %s", error)
                connection.close()
                time.sleep(1)
        self.stop()

    def stop(self) -> None:
        """End every scorer; their deployments are started again by the next agent."""
        self._copier.shutdown(wait=False, cancel_futures=True)
        for supervised in self.running.values():
            supervised.close()
        self.running.clear()

    def look(self) -> None:
        """One comparison of rows with processes."""
        wanted = {row.pk: row for row in self._wanted()}
        self._end_unwanted(wanted)
        for pk, row in wanted.items():
            try:
                self._tend(row)
            except DomainError as error:
                log.info("deployment %s: %s", pk, error)
        self._meter()
        self._ask_to_advance(wanted)

    def _wanted(self) -> list[Deployment]:
        """Live ones first: after a restart they must answer soonest."""
        rows = Deployment.objects.wanting_scorer().filter(endpoint__target__kind=Target.Kind.LOCAL)
        return sorted(
            rows.select_related("endpoint__model", "endpoint__environment", "version__model"),
            key=lambda row: (row.status != "live", row.created_at),
        )

    def _tend(self, row: Deployment) -> None:
        supervised = self.running.get(row.pk)
        if supervised is None:
            self._prepare(row)
        elif supervised.process.exit_code is not None:
            self._died(row, supervised)
        elif not supervised.is_ready:
            if about := supervised.ask():
                supervised.is_ready = True
                services.note_scorer_ready(actor=self.actor, deployment=row, fence=row.fence, about=about)
        elif row.status == Deployment.Status.HEALTH_CHECK:
            self._check(row, supervised)

    def _prepare(self, row: Deployment) -> None:
        """Copy and hash the version's files in a thread; then start the scorer from this one."""
        if time.monotonic() < self.retry_at.get(row.pk, 0):
            return
        copying = self.copying.get(row.pk)
        if copying is None:
            self.copying[row.pk] = self._copier.submit(materialised, row)
            return
        if not copying.done():
            return
        del self.copying[row.pk]
        try:
            copying.result()
            self._start(row, Supervised.prepared(row, settings.SANDBOX == "required"))
        except SandboxMissing as error:
            self._failed(row, "sandbox_missing", str(error), "")
        except TryLater as error:
            self._put_off(row, error)
        except DomainError as error:
            self._failed(row, error.code, str(error), "")
        except OSError as error:
            self._failed(row, "cannot_copy", f"The model's files cannot be copied: {error.strerror}.", "")

    def _put_off(self, row: Deployment, error: TryLater) -> None:
        """A live version waits until the store answers again; a new one fails and says why."""
        if row.status in Deployment.BEFORE_LIVE:
            self._failed(row, error.code, str(error), "")
            return
        log.warning("deployment %s waits: %s", row.pk, error)
        self.retry_at[row.pk] = time.monotonic() + LONGEST_BACK_OFF_SECONDS

    def _start(self, row: Deployment, supervised: Supervised) -> None:
        supervised.start()
        self.running[row.pk] = supervised
        services.note_scorer_started(
            actor=self.actor,
            deployment=row,
            agent=self.name,
            pid=supervised.process.pid,
            socket=str(socket_path(row.pk)),
            sandbox=supervised.process.command.sandbox,
        )

    def _check(self, row: Deployment, supervised: Supervised) -> None:
        """Before any traffic, the model must answer its own example."""
        result = health_check(supervised, row)
        if result.is_healthy:
            services.mark_healthy(actor=self.actor, deployment=row, fence=row.fence, note=result.finding)
            return
        supervised.close()
        del self.running[row.pk]
        self._failed(row, "health_check_failed", result.finding, supervised.process.tail())

    def _died(self, row: Deployment, supervised: Supervised) -> None:
        code = supervised.process.failure_code
        is_early = row.status in Deployment.BEFORE_LIVE and supervised.starts >= STARTS_BEFORE_LIVE
        if code in FINAL or is_early:
            supervised.close()
            del self.running[row.pk]
            tail = supervised.process.tail()
            last = (
                tail.strip().splitlines()[-1] if tail.strip() else f"exit code {supervised.process.exit_code}"
            )
            self._failed(row, code, f"The scorer ended: {last}", tail)
            return
        if not supervised.may_restart():
            return
        log.warning("scorer of %s died (%s), starting it again", row, supervised.process.exit_code)
        self._start(row, supervised)

    def _failed(self, row: Deployment, code: str, failure: str, tail: str) -> None:
        log.error("deployment %s: %s: %s", row.pk, code, failure)
        self.retry_at[row.pk] = time.monotonic() + LONGEST_BACK_OFF_SECONDS
        services.note_scorer_failed(
            actor=self.actor,
            deployment=row,
            fence=row.fence,
            code=code,
            failure=failure,
            log_tail=tail,
            is_final=True,
        )

    def _end_unwanted(self, wanted: dict[uuid.UUID, Deployment]) -> None:
        """What lost its traffic runs on for a moment, so that nobody who was sent there is let down."""
        now = time.monotonic()
        for pk in list(self.running):
            if pk in wanted:
                self.unwanted_since.pop(pk, None)
            elif now - self.unwanted_since.setdefault(pk, now) >= LINGER_SECONDS:
                self._end(pk)

    def _end(self, pk: uuid.UUID) -> None:
        self.running.pop(pk).close()
        self.retry_at.pop(pk, None)
        self.unwanted_since.pop(pk, None)
        shutil.rmtree(scorer_folder(pk), ignore_errors=True)
        row = Deployment.objects.select_related("endpoint__environment", "version__model").get(pk=pk)
        services.note_scorer_stopped(actor=self.actor, deployment=row)

    def _meter(self) -> None:
        now = time.monotonic()
        if now - self._metered_at < METER_EVERY_SECONDS:
            return
        self._metered_at = now
        target = Target.objects.get(name="local")
        services.meter(
            actor=self.actor,
            target=target,
            agent=self.name,
            sandbox="bubblewrap" if bubblewrap() else "none",
            metered=[each.metered(pk) for pk, each in self.running.items()],
        )

    def _ask_to_advance(self, wanted: dict[uuid.UUID, Deployment]) -> None:
        """Rollouts go on by jobs of the workers; one open job per rollout is enough."""
        now = time.monotonic()
        if now - self._advanced_at < ADVANCE_EVERY_SECONDS:
            return
        self._advanced_at = now
        for row in wanted.values():
            if row.status not in {"rolling_out", "rolling_back"} or row.is_paused:
                continue
            if Job.objects.open().about(row).filter(kind=ADVANCE).exists():
                continue
            with transaction.atomic():
                enqueue(ADVANCE, subject=row, model=row.endpoint.model)
