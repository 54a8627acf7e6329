"""Any order of deploying, steering, failing and rolling back keeps what must always hold."""

import uuid
from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from core.actors import Actor
from core.errors import Conflict
from core.identifiers import new_id
from deployments import services
from deployments.models import Clearance, Deployment, Endpoint, Scorer, TrafficCount
from registry.models import ModelAlias

pytestmark = pytest.mark.django_db
CANARY = {
    "steps": [{"weight": 10, "analyse": {"max_error_rate": 0.1, "min_requests": 10}}, {"weight": 100}],
}
SYSTEM = Actor.system()


class Deployments(RuleBasedStateMachine):
    """One endpoint, and everything that may happen to it."""

    versions: list = []
    environment = None

    def __init__(self):
        super().__init__()
        model = self.versions[0].model
        Endpoint.objects.filter(model=model).update(live=None)
        for table in (TrafficCount, Scorer):
            table.objects.all().delete()
        Deployment.objects.exclude(status__in=Deployment.OVER).update(status="aborted", slot="", weight=0)
        ModelAlias.objects.filter(model=model).delete()
        self.endpoint = services.ensure_endpoint(actor=SYSTEM, model=model, environment=self.environment)
        self.start_of_run = timezone.now()
        self.highest_fence = Endpoint.objects.get(pk=self.endpoint.pk).fence
        self.cleared: set[uuid.UUID] = set()

    def rows(self, *statuses):
        mine = Deployment.objects.filter(endpoint=self.endpoint, created_at__gte=self.start_of_run)
        return list(
            mine.filter(status__in=statuses).select_related("endpoint", "version") if statuses else mine
        )

    def attempt(self, service, **given):
        """A refusal is fine: nothing may have changed by it, which the invariants check."""
        with suppress(Conflict):
            service(actor=SYSTEM, **given)

    @rule(which=st.integers(0, 2), canary=st.booleans())
    def ask(self, which, canary):
        version = self.versions[which]
        clearance = services.grant_clearance(
            actor=SYSTEM,
            version=version,
            environment=self.environment,
            kind=Clearance.Kind.APPROVAL,
            evidence_sha256="0" * 64,
            reference=str(new_id()),
        )
        self.cleared.add(clearance.pk)
        rollout = CANARY if canary else None
        given = {"endpoint": self.endpoint, "version": version, "clearance": clearance, "rollout": rollout}
        self.attempt(services.start_deployment, **given)

    @rule()
    def begin(self):
        for row in self.rows("queued"):
            self.attempt(services.begin, deployment=row)

    @rule(stale=st.booleans())
    def agent_reports(self, stale):
        for row in self.rows("starting"):
            services.note_scorer_started(
                actor=SYSTEM, deployment=row, agent="a", pid=1, socket="/s", sandbox="none"
            )
            fence = row.fence - 1 if stale else row.fence
            services.note_scorer_ready(actor=SYSTEM, deployment=row, fence=fence, about={})
        for row in self.rows("health_check"):
            fence = row.fence - 1 if stale else row.fence
            self.attempt(services.mark_healthy, deployment=row, fence=fence)

    @rule(errors=st.integers(0, 5))
    def traffic(self, errors):
        for row in self.rows("rolling_out"):
            TrafficCount.objects.update_or_create(
                deployment=row,
                step=row.step_index + 1,
                minute=timezone.now().replace(second=0, microsecond=0),
                gateway="g",
                defaults={"requests": 20, "errors": errors, "latency": {"10": 20}},
            )

    @rule()
    def advance(self):
        Deployment.objects.filter(status="rolling_back").update(
            step_started_at=timezone.now() - timedelta(seconds=9)
        )
        for row in self.rows("rolling_out", "rolling_back"):
            self.attempt(services.advance, deployment=row)

    @rule(what=st.sampled_from(["pause", "continue", "abort"]))
    def steer(self, what):
        service = {"pause": services.pause, "continue": services.continue_rollout, "abort": services.abort}[
            what
        ]
        for row in self.rows("rolling_out", "starting")[:1]:
            self.attempt(service, deployment=row, reason="a person")

    @rule()
    def revoke(self):
        for row in self.rows("starting", "rolling_out")[:1]:
            services.revoke_clearance(actor=SYSTEM, clearance=row.clearance, reason="withdrawn")

    @rule(which=st.integers(0, 9))
    def roll_back(self, which):
        rows = self.rows()
        if rows:
            target = rows[which % len(rows)]
            given = {"endpoint": self.endpoint, "to_deployment": target, "reason": "worse"}
            self.attempt(services.roll_back, **given)

    @rule()
    def retire(self):
        for row in self.rows("standby")[:1]:
            self.attempt(services.retire, deployment=row, reason="enough")

    @invariant()
    def at_most_one_is_live_and_the_endpoint_names_it(self):
        live = self.rows("live")
        assert len(live) <= 1
        assert Endpoint.objects.get(pk=self.endpoint.pk).live_id == (live[0].pk if live else None)

    @invariant()
    def the_alias_is_what_is_live(self):
        alias = ModelAlias.objects.filter(model=self.endpoint.model, name="champion").first()
        live = self.rows("live")
        assert (alias.version_id if alias else None) == (live[0].version_id if live else None)

    @invariant()
    def fences_only_grow(self):
        fence = Endpoint.objects.get(pk=self.endpoint.pk).fence
        assert fence >= self.highest_fence
        self.highest_fence = fence
        assert all(row.fence <= fence for row in self.rows())

    @invariant()
    def one_rollout_at_a_time(self):
        assert len(self.rows(*Deployment.IN_FLIGHT)) <= 1

    @invariant()
    def whatever_was_live_was_cleared_for_its_bytes(self):
        for row in self.rows():
            if row.live_at is not None:
                assert row.clearance.digest == row.digest == row.version.digest
                assert row.clearance.environment_id == self.endpoint.environment_id

    @invariant()
    def shares_of_the_traffic_are_whole(self):
        for row in self.rows():
            assert row.weight == 0 or row.status in {"live", "rolling_out"}


def test_what_must_always_hold(make_model, make_version, production):
    model = make_model()
    Deployments.versions = [make_version(model) for _ in range(3)]
    Deployments.environment = production
    run_state_machine_as_test(
        Deployments,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
