"""Many people at the same moment: nothing counts twice, nothing is signed that nobody saw."""

import threading

import pytest
from django.db import connection

from approvals import services
from approvals.models import Decision, PromotionRequest
from approvals.protection import ask_for_promotion
from audit.models import Event
from core.actors import Actor
from core.errors import DomainError
from core.jobs.models import Job
from deployments.models import Clearance, Deployment
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works):
    """Run all at the same moment; the codes of those that were refused."""
    start, refused = threading.Barrier(len(works)), []

    def run(work):
        start.wait(10)
        try:
            work()
        except DomainError as error:
            refused.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return refused


def test_one_person_eight_times_at_once_counts_once(promotion, sign, reviewer):
    def once():
        sign(reviewer, PromotionRequest.objects.get(pk=promotion.pk))

    assert at_once(*[once] * 8) == []
    promotion.refresh_from_db()
    assert (promotion.status, Decision.objects.count()) == ("pending", 1)
    assert Event.objects.acting("approvals.approved").count() == 1


def test_eight_workers_execute_once(promotion, sign, reviewer, validator):
    sign(reviewer, promotion)
    sign(validator, promotion)

    def execute():
        services.execute(actor=Actor.system(), promotion=PromotionRequest.objects.get(pk=promotion.pk))

    assert at_once(*[execute] * 8) == []
    assert (Clearance.objects.count(), Deployment.objects.count()) == (1, 1)
    assert Event.objects.acting("approvals.executed").count() == 1
    assert Job.objects.filter(kind="deployments.start").count() == 1


def test_eight_requests_at_once_open_one(version, scientist, production, actor):
    def ask():
        services.request_promotion(
            actor=actor(scientist), version=version, environment=production, why="It knows the weather."
        )

    assert at_once(*[ask] * 8) == ["request_open"] * 7
    assert PromotionRequest.objects.count() == 1
    assert Event.objects.acting("approvals.requested").count() == 1


def test_eight_clients_that_set_the_protected_alias_at_once_get_one_request_and_its_address(
    version, scientist, production, actor
):
    def set_alias():
        ask_for_promotion(actor(scientist), version.model, production.alias, version)

    assert at_once(*[set_alias] * 8) == ["promotion_required"] * 8
    assert PromotionRequest.objects.count() == 1


def test_no_approval_is_ever_attached_to_words_its_author_did_not_see(
    promotion, sign, reviewer, scientist, actor
):
    for number in range(12):
        promotion.refresh_from_db()
        seen, evidence = promotion.rev, promotion.evidence_sha256

        def edit(seen=seen, number=number):
            services.edit_request(
                actor=actor(scientist), promotion=promotion, revision=seen, why=f"Words of round {number}."
            )

        def approve(seen=seen):
            services.approve(
                actor=actor(reviewer), promotion=promotion, reason="Seen.", revision=seen, password=PASSWORD
            )

        at_once(edit, approve)
        for decision in Decision.objects.filter(rev=seen):
            assert decision.evidence_sha256 == evidence
        promotion.refresh_from_db()
        current = Decision.objects.counting().first()
        assert current is None or current.evidence_sha256 == promotion.evidence_sha256


def test_approving_and_rejecting_at_once_ends_in_one_state(promotion, sign, reviewer, validator, actor):
    sign(reviewer, promotion)

    def approve():
        sign(validator, PromotionRequest.objects.get(pk=promotion.pk))

    def withdraw():
        services.withdraw(
            actor=actor(promotion.requested_by), promotion=promotion, reason="Wrong data after all."
        )

    refused = at_once(approve, withdraw)
    promotion.refresh_from_db()
    assert len(refused) == 1
    assert promotion.status in {"queued", "cancelled"}
    executions = Job.objects.filter(kind="approvals.execute").count()
    assert executions == (1 if promotion.status == "queued" else 0)
