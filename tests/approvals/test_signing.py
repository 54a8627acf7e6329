"""Two different people in two roles sign the evidence they saw; nobody who contributed."""

import threading

import pytest
from django.db import connection

from approvals import services
from approvals.models import Decision, GateResult, PromotionRequest
from audit.models import Event
from core.actors import Actor
from core.errors import Conflict, DomainError, Invalid, NotAllowed, PreconditionFailed
from core.jobs.models import Job
from pipelines.models import ContractCheck
from pipelines.services.contracts import keep_check
from tests.approvals.conftest import measured
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def test_two_signatures_release_the_promotion(promotion, sign, reviewer, validator):
    sign(reviewer, promotion)
    promotion.refresh_from_db()
    assert promotion.status == "pending"
    sign(validator, promotion)
    promotion.refresh_from_db()
    assert promotion.status == "queued"
    assert Job.objects.filter(kind="approvals.execute").count() == 1
    signed = Event.objects.filter(fields__action="approvals.approved")
    assert {event.fields["actor"]["account_id"] for event in signed} == {str(reviewer.pk), str(validator.pk)}
    assert signed[0].fields["after"]["evidence_sha256"] == promotion.evidence_sha256


def test_nobody_approves_their_own_request_and_the_refusal_is_audited(
    make_account, version, production, actor, answer, admin, sign
):
    from accounts.services import give_role

    both = make_account("both", "reviewer")
    from registry.access.models import ModelAccountGrant  # noqa: F401 - grants exist for models

    promotion = services.request_promotion(
        actor=actor(version.created_by), version=version, environment=production, why="It knows the weather."
    )
    answer(promotion)
    give_role(actor=actor(admin), account=version.created_by, role="reviewer")
    with pytest.raises(NotAllowed) as refused:
        sign(version.created_by, promotion)
    assert refused.value.code == "self_approval"
    denied = Event.objects.filter(fields__outcome="denied").order_by("-id")[0]
    assert denied.fields["actor"]["account_id"] == str(version.created_by_id)
    assert not Decision.objects.exists()
    assert both.pk


def test_a_linked_account_is_the_same_person(promotion, scientist, make_account, sign):
    linked = make_account("scientist-two", "reviewer", person=scientist.person)
    with pytest.raises(NotAllowed) as refused:
        sign(linked, promotion)
    assert refused.value.code == "self_approval"


def test_whoever_edited_the_version_may_not_approve(promotion, reviewer, sign, actor, admin):
    from accounts.grants import permission_for
    from registry import services as registry
    from registry.access.models import ModelAccountGrant
    from registry.models import RegisteredModel

    ModelAccountGrant.objects.create(
        user=reviewer,
        permission=permission_for(RegisteredModel, "register"),
        content_object=promotion.version.model,
    )
    registry.update_version(actor=actor(reviewer), version=promotion.version, description="Better words.")
    with pytest.raises(NotAllowed) as refused:
        sign(reviewer, promotion)
    assert refused.value.code == "contributor_approval"


def test_a_token_never_approves(promotion, reviewer):
    from accounts.actors import actor_for

    token = actor_for(reviewer, via="token", scopes=frozenset({"all"}))
    with pytest.raises(NotAllowed) as refused:
        services.approve(actor=token, promotion=promotion, reason="Fine.", revision=1, password=PASSWORD)
    assert refused.value.code == "interactive_required"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"revision": 99}, PreconditionFailed),
        ({"password": "wrong"}, NotAllowed),
        ({"password": ""}, Invalid),
        ({"reason": ""}, Invalid),
        ({"reason": "null \x00 byte"}, Invalid),
        ({"meaning": "bidi \u202e"}, Invalid),
    ],
)
def test_a_bad_signature_counts_for_nothing(promotion, reviewer, sign, change, error):
    with pytest.raises(error):
        sign(reviewer, promotion, **change)
    assert not Decision.objects.exists()


def test_the_same_approval_twice_counts_once(promotion, sign, reviewer):
    sign(reviewer, promotion)
    sign(reviewer, promotion)
    assert Decision.objects.count() == 1


def test_a_failed_gate_forbids_approval(version, production, scientist, reviewer, actor, answer, sign):
    promotion = services.request_promotion(
        actor=actor(scientist), version=version, environment=production, why="It knows the weather."
    )
    answer(promotion, measured(auc=0.55))
    with pytest.raises(Conflict) as refused:
        sign(reviewer, promotion)
    assert refused.value.code == "gate_failed"


def test_nothing_is_decided_before_the_evidence_is_there(
    version, production, scientist, reviewer, actor, sign
):
    promotion = services.request_promotion(
        actor=actor(scientist), version=version, environment=production, why="It knows the weather."
    )
    assert promotion.word == "Evaluating"
    with pytest.raises(Conflict) as refused:
        sign(reviewer, promotion)
    assert refused.value.code == "evidence_running"


def test_a_change_of_evidence_voids_approvals_and_names_the_line(promotion, sign, reviewer, validator):
    from core.actors import Actor
    from registry.models import ModelVersion

    sign(reviewer, promotion)
    ModelVersion.objects.filter(pk=promotion.version_id).update(integrity_failure="model.pkl has changed")
    services.judge_gates(actor=Actor.system(), promotion=promotion)
    promotion.refresh_from_db()
    decision = Decision.objects.get()
    assert decision.voided_at is not None
    assert "gates.digest" in decision.void_reason
    assert promotion.rev == 2
    with pytest.raises(DomainError):
        sign(validator, promotion)


def test_a_second_open_request_is_answered_with_the_address_of_the_first(
    promotion, scientist, production, actor
):
    with pytest.raises(Conflict) as refused:
        services.request_promotion(
            actor=actor(scientist),
            version=promotion.version,
            environment=production,
            why="Once more, with feeling.",
        )
    assert refused.value.extra["address"] == promotion.address


def test_rejecting_closes_for_good(promotion, reviewer, validator, actor, sign):
    services.reject(
        actor=actor(reviewer),
        promotion=promotion,
        reason="The hold-out is random.",
        revision=promotion.rev,
        password=PASSWORD,
    )
    promotion.refresh_from_db()
    assert promotion.status == "rejected"
    with pytest.raises(Conflict):
        sign(validator, promotion)


def test_a_stranger_sees_no_request_and_may_not_ask(promotion, stranger, actor, version, production):
    assert not PromotionRequest.objects.visible_to(actor(stranger)).exists()
    with pytest.raises(NotAllowed):
        services.request_promotion(
            actor=actor(stranger), version=version, environment=production, why="Let me in please."
        )


def test_an_approver_who_loses_the_role_no_longer_counts(promotion, sign, reviewer, validator, admin, actor):
    from accounts.services import take_role
    from core.actors import Actor

    sign(reviewer, promotion)
    sign(validator, promotion)
    take_role(actor=actor(admin), account=validator, role="validator")
    services.execute(actor=Actor.system(), promotion=promotion)
    promotion.refresh_from_db()
    assert promotion.status == "pending"
    assert not Decision.objects.counting().exists()


def test_execution_clears_and_starts_one_deployment(promotion, sign, reviewer, validator):
    from core.actors import Actor
    from deployments.models import Clearance, Deployment

    sign(reviewer, promotion)
    sign(validator, promotion)
    for _ in range(2):
        services.execute(actor=Actor.system(), promotion=promotion)
    deployment = Deployment.objects.get()
    assert deployment.digest == promotion.digest
    assert Clearance.objects.get().evidence_sha256 == promotion.evidence_sha256


def test_setting_the_protected_alias_opens_the_request_and_says_where(version, scientist, actor, production):
    from registry.protected import ask_to_move

    for _ in range(2):
        with pytest.raises(NotAllowed) as refused:
            ask_to_move(actor(scientist), version.model, "champion", version)
    opened = PromotionRequest.objects.get()
    assert opened.address in str(refused.value)
    assert opened.requested_by == scientist


@pytest.mark.django_db(transaction=True)
def test_eight_approvals_at_once_count_each_person_once_and_execute_once(
    promotion, sign, reviewer, validator
):
    problems = []

    def work(account):
        try:
            sign(account, PromotionRequest.objects.get(pk=promotion.pk))
        except DomainError as error:
            problems.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(account,)) for account in [reviewer, validator] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    promotion.refresh_from_db()
    assert promotion.status == "queued"
    assert Decision.objects.counting().count() == 2
    assert Job.objects.filter(kind="approvals.execute").count() == 1
    assert set(problems) <= {"not_pending", "conflict"}


def test_data_that_fails_its_contract_after_judging_is_heard_and_signed_by_nobody(
    promotion, sign, reviewer, run_jobs
):
    check = ContractCheck.objects.earliest("pk")
    found = [{"rule": "r", "status": "failed", "sentence": "hour is below 0"}]
    failed = {"actor": Actor.system(), "version": check.version, "contract": check.contract, "results": found}
    keep_check(**failed)
    with pytest.raises(PreconditionFailed) as refused:
        sign(reviewer, promotion)
    assert refused.value.code == "evidence_changed"
    assert not Decision.objects.exists()
    run_jobs()
    promotion.refresh_from_db()
    assert GateResult.objects.filter(promotion=promotion, rev=promotion.rev, outcome="failed").exists()
    with pytest.raises(Conflict) as forbidden:
        sign(reviewer, promotion)
    assert forbidden.value.code == "gate_failed"
    keep_check(**{**failed, "results": [{**found[0], "status": "passed"}]})
    run_jobs()
    assert sign(reviewer, promotion).status == "pending"
