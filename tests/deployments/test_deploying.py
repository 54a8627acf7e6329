"""Putting versions on endpoints, as the rows tell it; no processes."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from approvals import services as policies
from audit.models import Event
from core.errors import Conflict, Invalid, NotAllowed
from core.jobs.models import Job
from deployments import rights, services
from deployments.models import Clearance, Deployment, Endpoint, Scorer, TrafficCount, Transition
from deployments.serving.routing import Route, Variant
from registry import services as registry
from registry.access.services import grant
from registry.models import ModelAlias

pytestmark = pytest.mark.django_db
CANARY = {
    "steps": [
        {"weight": 10, "analyse": {"max_error_rate": 0.01, "p95_ms": 120, "min_requests": 200}},
        {"weight": 100},
    ]
}


def champion(model):
    alias = ModelAlias.objects.filter(model=model, name="champion").first()
    return alias.version.number if alias else None


def counted(deployment, **numbers):
    TrafficCount.objects.create(
        deployment=deployment, step=deployment.step_index + 1, minute=timezone.now(), gateway="g", **numbers
    )


def test_the_first_version_goes_live_and_gets_the_alias(make_model, make_version, production, bring_live):
    version = make_version(make_model())
    deployment = bring_live(version, production, CANARY)
    assert (deployment.status, deployment.slot, deployment.weight) == ("live", "stable", 100)
    assert Endpoint.objects.get().live == deployment
    assert champion(version.model) == 1
    statuses = list(Transition.objects.order_by("at", "id").values_list("status", flat=True))
    assert statuses == ["queued", "leased", "starting", "health_check", "rolling_out", "live"]


def test_a_name_that_callers_use_stays(
    make_model, make_version, production, staging, bring_live, scientist, actor, token_client
):
    tried = bring_live(make_version(make_model("tried")), staging).version.model
    assert registry.rename_model(actor=actor(scientist), model=tried, new_name="tried-again")
    model = bring_live(make_version(make_model()), production).version.model
    name = model.name
    answer = token_client(scientist).post(
        "/api/2.0/mlflow/registered-models/rename", {"name": name, "new_name": "x"}, "application/json"
    )
    assert answer.status_code == 409
    assert "answers in production" in answer.json()["message"]
    model.refresh_from_db()
    assert model.name == name
    assert Event.objects.acting("registry.rename_model").get().fields["outcome"] == "denied"


def test_a_second_version_takes_a_tenth_then_everything(
    make_model, make_version, production, bring_live, system
):
    model = make_model()
    first = bring_live(make_version(model), production)
    second = bring_live(make_version(model), production, CANARY)
    assert (second.status, second.weight, champion(model)) == ("rolling_out", 10, 1)
    counted(second, requests=150, latency={"40": 150})
    services.advance(actor=system, deployment=second)
    second.refresh_from_db()
    assert second.status == "rolling_out"
    assert second.analysis["outcome"] == "wait"
    TrafficCount.objects.update(requests=210, latency={"40": 210})
    services.advance(actor=system, deployment=second)
    second.refresh_from_db()
    first.refresh_from_db()
    assert (second.status, first.status, first.slot) == ("live", "standby", "")
    assert champion(model) == 2
    assert Endpoint.objects.get().live_id == second.pk


def test_the_former_version_goes_into_shadow_when_the_policy_says_so(
    make_model, make_version, production, bring_live
):
    model = make_model()
    first = bring_live(make_version(model), production)
    bring_live(make_version(model), production, {"steps": [{"weight": 100}], "shadow_former": True})
    first.refresh_from_db()
    assert (first.status, first.slot) == ("standby", "shadow")


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ({"requests": 200, "errors": 10, "latency": {"10": 200}}, "analysis_failed"),
        ({"requests": 20, "errors": 20, "latency": {"10": 20}}, "analysis_failed"),
        ({"requests": 250, "errors": 0, "latency": {"80": 250}}, "analysis_failed"),
    ],
)
def test_a_bad_canary_is_taken_back_by_itself(
    make_model, make_version, production, bring_live, system, numbers, code
):
    model = make_model()
    first = bring_live(make_version(model), production)
    second = bring_live(make_version(model), production, CANARY)
    counted(second, **numbers)
    services.advance(actor=system, deployment=second)
    second.refresh_from_db()
    assert (second.status, second.weight, second.slot, second.failure_code) == ("rolling_back", 0, "", code)
    Deployment.objects.filter(pk=second.pk).update(step_started_at=timezone.now() - timedelta(seconds=5))
    services.advance(actor=system, deployment=second)
    second.refresh_from_db()
    first.refresh_from_db()
    assert (second.status, first.status, champion(model)) == ("rolled_back", "live", 1)


def test_too_little_traffic_pauses_and_a_person_goes_on(
    make_model, make_version, production, bring_live, system, operator, actor
):
    model = make_model()
    bring_live(make_version(model), production)
    second = bring_live(make_version(model), production, CANARY)
    Deployment.objects.filter(pk=second.pk).update(step_started_at=timezone.now() - timedelta(hours=1))
    services.advance(actor=system, deployment=second)
    second.refresh_from_db()
    assert second.is_paused
    assert second.is_inconclusive
    services.continue_rollout(
        actor=actor(operator), deployment=second, reason="Quiet night; the shadow looked fine."
    )
    second.refresh_from_db()
    assert second.status == "live"


def test_pausing_holds_and_aborting_ends(
    make_model, make_version, production, bring_live, system, operator, actor
):
    model = make_model()
    bring_live(make_version(model), production)
    second = bring_live(make_version(model), production, CANARY)
    services.pause(actor=actor(operator), deployment=second, reason="Looking.")
    counted(second, requests=500, latency={"1": 500})
    services.advance(actor=system, deployment=second)
    second.refresh_from_db()
    assert (second.status, second.is_paused) == ("rolling_out", True)
    services.abort(actor=actor(operator), deployment=second, reason="Wrong month.")
    second.refresh_from_db()
    assert (second.status, champion(model)) == ("aborted", 1)
    with pytest.raises(Conflict):
        services.continue_rollout(actor=actor(operator), deployment=second)


def test_production_needs_a_clearance(make_model, make_version, production, operator, actor, system):
    version = make_version(make_model())
    endpoint = services.create_endpoint(actor=actor(operator), model=version.model, environment=production)
    with pytest.raises(NotAllowed) as refused:
        services.start_deployment(actor=actor(operator), endpoint=endpoint, version=version)
    assert refused.value.code == "clearance_required"
    with pytest.raises(NotAllowed):
        services.grant_clearance(
            actor=actor(operator),
            version=version,
            environment=production,
            kind="approval",
            evidence_sha256="0" * 64,
        )
    with pytest.raises(IntegrityError, match="protected_deployment_needs_a_clearance"), transaction.atomic():
        Deployment.objects.create(endpoint=endpoint, version=version, digest=version.digest)
    with pytest.raises(IntegrityError), transaction.atomic():
        Deployment.objects.create(
            endpoint=endpoint, version=version, digest=version.digest, is_protected=False
        )
    assert not Deployment.objects.exists()


def test_a_clearance_fits_one_version_and_expires(make_model, make_version, production, system):
    model = make_model()
    cleared, other = (
        make_version(model),
        make_version(model, files={"MLmodel": "flavors: {python_function: {}}\n"}),
    )
    endpoint = services.ensure_endpoint(actor=system, model=model, environment=production)

    def clear(**more):
        return services.grant_clearance(
            actor=system,
            version=cleared,
            environment=production,
            kind="approval",
            evidence_sha256="1" * 64,
            **more,
        )

    with pytest.raises(NotAllowed):
        services.start_deployment(actor=system, endpoint=endpoint, version=other, clearance=clear())
    late = clear(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Conflict):
        services.start_deployment(actor=system, endpoint=endpoint, version=cleared, clearance=late)
    revoked = services.revoke_clearance(actor=system, clearance=clear(), reason="Mistake.")
    with pytest.raises(Conflict):
        services.start_deployment(actor=system, endpoint=endpoint, version=cleared, clearance=revoked)
    with pytest.raises(IntegrityError), transaction.atomic():
        Deployment.objects.create(endpoint=endpoint, version=other, digest=other.digest, clearance=clear())


def test_the_same_clearance_twice_is_one_deployment(make_model, make_version, production, deploy, system):
    version = make_version(make_model())
    deployment = deploy(version, production)
    again = services.start_deployment(
        actor=system, endpoint=deployment.endpoint, version=version, clearance=deployment.clearance
    )
    assert again.pk == deployment.pk
    assert Job.objects.filter(kind="deployments.start").count() == 1


def test_staging_is_free_for_operators_and_those_with_the_grant(
    make_model, make_version, staging, scientist, operator, actor
):
    version = make_version(make_model())
    with pytest.raises(NotAllowed):
        services.create_endpoint(actor=actor(scientist), model=version.model, environment=staging)
    endpoint = services.create_endpoint(actor=actor(operator), model=version.model, environment=staging)
    with pytest.raises(NotAllowed):
        services.start_deployment(actor=actor(scientist), endpoint=endpoint, version=version)
    deployment = services.start_deployment(actor=actor(operator), endpoint=endpoint, version=version)
    assert deployment.clearance.kind == Clearance.Kind.UNPROTECTED


def test_rolling_back_is_kept_to_the_roles_that_the_policy_names(
    make_model, make_version, production, bring_live, scientist, operator, admin, actor
):
    model = make_model()
    first = bring_live(make_version(model), production)
    bring_live(make_version(model), production)
    grant(actor=actor(admin), model=model, right="roll_back", account=scientist, reason="She is on call.")
    ask = {"endpoint": first.endpoint, "to_deployment": first, "reason": "It ranks badly."}
    with pytest.raises(NotAllowed, match="its policy allows it to: operator"):
        services.roll_back(actor=actor(scientist), **ask)
    denied = Event.objects.filter(fields__action="deployments.roll_back", fields__outcome="denied")
    assert denied.count() == 1
    assert services.roll_back(actor=actor(operator), **ask).version == first.version
    policies.add_revision(
        actor=actor(admin),
        name="production",
        text=Path("approvals/shipped/production.yaml").read_text().replace("allowed_to: [operator], ", ""),
        reason="Whoever holds the right may roll back.",
    )
    assert rights.may_roll_back(actor(scientist), first.endpoint)


def test_a_stranger_can_do_nothing(make_model, make_version, production, bring_live, stranger, actor):
    deployment = bring_live(make_version(make_model()), production)
    nobody = actor(stranger)
    assert not Deployment.objects.visible_to(nobody).exists()
    assert not Endpoint.objects.visible_to(nobody).exists()
    for service, more in (
        (services.pause, {"deployment": deployment}),
        (services.abort, {"deployment": deployment, "reason": "x"}),
        (services.retire, {"deployment": deployment, "reason": "x"}),
        (services.roll_back, {"endpoint": deployment.endpoint, "to_deployment": deployment, "reason": "x"}),
    ):
        with pytest.raises(NotAllowed):
            service(actor=nobody, **more)


def test_deployments_of_one_endpoint_go_one_after_another(
    make_model, make_version, production, bring_live, deploy, work, system
):
    model = make_model()
    bring_live(make_version(model), production)
    second = bring_live(make_version(model), production, CANARY)
    third = deploy(make_version(model), production)
    work()
    third.refresh_from_db()
    assert third.status == "queued"
    services.abort(actor=system, deployment=second, reason="Make way.")
    work()
    third.refresh_from_db()
    assert third.status == "starting"
    assert third.fence > second.fence


def test_a_report_with_an_old_fence_changes_nothing(
    make_model, make_version, production, deploy, work, system
):
    deployment = deploy(make_version(make_model()), production)
    work()
    deployment.refresh_from_db()
    services.note_scorer_started(
        actor=system, deployment=deployment, agent="a", pid=1, socket="/s", sandbox="none"
    )
    services.note_scorer_ready(actor=system, deployment=deployment, fence=deployment.fence - 1, about={})
    deployment.refresh_from_db()
    assert deployment.status == "starting"
    services.fail_deployment(actor=system, deployment=deployment, fence=99, code="x", failure="y")
    deployment.refresh_from_db()
    assert deployment.status == "starting"


def test_a_failure_leaves_what_was_live(
    make_model, make_version, production, bring_live, deploy, work, system
):
    model = make_model()
    first = bring_live(make_version(model), production)
    second = deploy(make_version(model), production)
    work()
    second.refresh_from_db()
    services.note_scorer_failed(
        actor=system, deployment=second, fence=second.fence, code="digest_mismatch", failure="model.pkl differs",
        log_tail="", is_final=True,
    )  # fmt: skip
    second.refresh_from_db()
    first.refresh_from_db()
    assert (second.status, second.failure_code, first.status, champion(model)) == (
        "failed",
        "digest_mismatch",
        "live",
        1,
    )


def test_only_one_version_stays_warm(make_model, make_version, production, bring_live):
    model = make_model()
    deployments = [bring_live(make_version(model), production) for _ in range(3)]
    for each in deployments:
        each.refresh_from_db()
    assert [each.status for each in deployments] == ["retired", "standby", "live"]


def test_the_live_version_does_not_retire_beside_a_canary(
    make_model, make_version, production, bring_live, operator, actor
):
    model = make_model()
    first = bring_live(make_version(model), production)
    bring_live(make_version(model), production, CANARY)
    with pytest.raises(Conflict, match="abort that rollout"):
        services.retire(actor=actor(operator), deployment=first, reason="Not needed.")
    assert champion(model) == 1


def test_a_canary_never_answers_more_than_its_share():
    sides = {"deployment": "d", "version": 1, "socket": "/s"}
    canary = Variant(**sides, slot="canary", weight=10)
    route = Route("e", "production", "delays", "m", "", (canary,))
    answered = sum(route.choose(f"key {number}") is canary for number in range(2000))
    assert 120 < answered < 280


def test_retiring_the_live_version_takes_the_alias_away(
    make_model, make_version, production, bring_live, operator, actor
):
    deployment = bring_live(make_version(make_model()), production)
    services.retire(actor=actor(operator), deployment=deployment, reason="End of the season.")
    assert Endpoint.objects.get().live is None
    assert champion(deployment.version.model) is None


def test_a_deployed_version_cannot_be_deleted(make_model, make_version, staging, operator, actor, scientist):
    from registry import services as registry

    version = make_version(make_model())
    endpoint = services.create_endpoint(actor=actor(operator), model=version.model, environment=staging)
    services.start_deployment(actor=actor(operator), endpoint=endpoint, version=version)
    with pytest.raises(Conflict, match="staging"):
        registry.delete_version(actor=actor(scientist), version=version)


@pytest.mark.parametrize(
    ("rollout", "field"),
    [
        ([], "rollout"),
        ({"steps": []}, "rollout.steps"),
        ({"steps": [{"weight": 10}]}, "rollout.steps"),
        ({"steps": [{"weight": 50}, {"weight": 10}, {"weight": 100}]}, "rollout.steps"),
        ({"steps": [{"weight": "10"}, {"weight": 100}]}, "rollout.steps[0].weight"),
        ({"steps": [{"weight": True}, {"weight": 100}]}, "rollout.steps[0].weight"),
        ({"steps": [{"weight": 100, "speed": 1}]}, "rollout.steps[0].speed"),
        (
            {"steps": [{"weight": 100, "analyse": {"p95_ms": float("nan")}}]},
            "rollout.steps[0].analyse.p95_ms",
        ),
        (
            {"steps": [{"weight": 100, "analyse": {"on_inconclusive": "x"}}]},
            "rollout.steps[0].analyse.on_inconclusive",
        ),
        ({"steps": [{"weight": 100}], "shadow_former": 1}, "rollout.shadow_former"),
    ],
)
def test_a_bad_rollout_is_named(make_model, make_version, staging, operator, actor, rollout, field):
    version = make_version(make_model())
    endpoint = services.create_endpoint(actor=actor(operator), model=version.model, environment=staging)
    with pytest.raises(Invalid) as refused:
        services.start_deployment(actor=actor(operator), endpoint=endpoint, version=version, rollout=rollout)
    assert refused.value.field == field
    assert not Deployment.objects.exists()
    assert not Scorer.objects.exists()


def test_a_clearance_revoked_during_the_rollout_stops_it(
    make_model, make_version, production, bring_live, system
):
    model = make_model()
    first = bring_live(make_version(model), production)
    second = bring_live(make_version(model), production, CANARY)
    services.revoke_clearance(actor=system, clearance=second.clearance, reason="Wrong data set.")
    counted(second, requests=500, latency={"1": 500})
    services.advance(actor=system, deployment=second)
    second.refresh_from_db()
    first.refresh_from_db()
    assert (second.status, second.failure_code, first.status) == ("rolling_back", "clearance_revoked", "live")
    assert champion(model) == 1


def test_a_pause_cannot_carry_a_revoked_clearance_past_the_check(
    make_model, make_version, production, bring_live, system, operator, actor
):
    model = make_model()
    bring_live(make_version(model), production)
    second = bring_live(make_version(model), production, CANARY)
    Deployment.objects.filter(pk=second.pk).update(step_started_at=timezone.now() - timedelta(hours=1))
    services.advance(actor=system, deployment=second)
    services.revoke_clearance(actor=system, clearance=second.clearance, reason="Wrong data set.")
    second.refresh_from_db()
    services.continue_rollout(actor=actor(operator), deployment=second)
    second.refresh_from_db()
    assert (second.status, champion(model)) == ("rolling_back", 1)
