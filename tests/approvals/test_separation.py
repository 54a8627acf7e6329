"""What voids a signature, who counts, and what happens when something changes in between."""

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.services import give_role, set_active
from approvals import rights, services
from approvals.models import Decision, PolicyRevision, PromotionRequest
from audit.models import Event
from core.actors import Actor
from core.errors import Conflict, NotAllowed, PreconditionFailed
from core.jobs import enqueue
from core.jobs.models import Job
from core.jobs.run import run_job
from deployments.models import Clearance, Deployment
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

SYSTEM = Actor.system()


def approved(promotion, sign, *accounts):
    for account in accounts:
        sign(account, promotion)
    promotion.refresh_from_db()
    return promotion


def execute(promotion):
    services.execute(actor=SYSTEM, promotion=promotion)
    promotion.refresh_from_db()
    return promotion


def test_one_person_in_both_roles_counts_for_one(promotion, make_account, admin, actor, sign, validator):
    both = make_account("both", "reviewer")
    give_role(actor=actor(admin), account=both, role="validator")
    sign(both, promotion)
    promotion.refresh_from_db()
    assert promotion.status == "pending"
    assert sum(services.lacking(promotion).values()) == 1
    sign(validator, promotion)
    promotion.refresh_from_db()
    assert promotion.status == "queued"


def test_two_of_the_same_role_are_not_a_quorum(promotion, make_account, reviewer, sign):
    sign(reviewer, promotion)
    sign(make_account("other-reviewer", "reviewer"), promotion)
    promotion.refresh_from_db()
    assert (promotion.status, services.lacking(promotion)) == ("pending", {"validator": 1})


def test_an_admin_has_no_way_around(promotion, admin, sign, actor):
    with pytest.raises(NotAllowed) as refused:
        sign(admin, promotion)
    assert refused.value.code == "not_allowed"
    with pytest.raises(NotAllowed) as refused:
        give_role(actor=actor(admin), account=admin, role="reviewer")
    assert refused.value.code == "self_grant"


def test_an_edit_voids_what_was_signed_and_names_the_line(promotion, sign, reviewer, scientist, actor):
    sign(reviewer, promotion)
    services.edit_request(
        actor=actor(scientist), promotion=promotion, revision=1, why="Other words, same bytes."
    )
    promotion.refresh_from_db()
    voided = Decision.objects.get()
    assert (promotion.rev, promotion.status) == (2, "pending")
    assert "why: It knows the weather." in voided.void_reason
    event = Event.objects.acting("approvals.approvals_voided").get()
    assert event.fields["after"]["voided"] == ["reviewer"]


def test_an_edit_after_the_quorum_takes_the_approval_back(
    promotion, sign, reviewer, validator, scientist, actor
):
    PolicyRevision.objects.update(document=promotion.policy_revision.document | {"on_approval": "wait"})
    promotion = PromotionRequest.objects.get(pk=promotion.pk)
    services.judge_gates(actor=SYSTEM, promotion=promotion)
    approved(promotion, sign, reviewer, validator)
    assert promotion.status == "approved"
    services.edit_request(
        actor=actor(scientist), promotion=promotion, revision=promotion.rev, known_limits="Not for freight."
    )
    promotion.refresh_from_db()
    assert promotion.status == "pending"
    assert not Decision.objects.counting().exists()
    with pytest.raises(Conflict):
        services.start_waiting(actor=actor(scientist), promotion=promotion)


def test_whoever_edited_the_request_may_not_approve_it(promotion, make_account, reviewer, actor, sign, admin):
    from accounts.grants import permission_for
    from registry.access.models import ModelAccountGrant
    from registry.models import RegisteredModel

    ModelAccountGrant.objects.create(
        user=reviewer,
        permission=permission_for(RegisteredModel, "propose"),
        content_object=promotion.version.model,
    )
    services.edit_request(
        actor=actor(reviewer), promotion=promotion, revision=1, why="Better words than before."
    )
    with pytest.raises(NotAllowed) as refused:
        sign(reviewer, promotion)
    assert refused.value.code == "contributor_approval"


def test_an_edit_needs_the_right_and_the_current_revision(promotion, scientist, stranger, reviewer, actor):
    for account in (stranger, reviewer):
        with pytest.raises(NotAllowed):
            services.edit_request(
                actor=actor(account), promotion=promotion, revision=1, why="Words of others."
            )
    with pytest.raises(PreconditionFailed):
        services.edit_request(
            actor=actor(scientist), promotion=promotion, revision=7, why="Too late for that."
        )


def test_a_deactivated_approver_does_not_count(promotion, sign, reviewer, validator, admin, actor):
    approved(promotion, sign, reviewer)
    set_active(actor=actor(admin), account=reviewer, is_active=False)
    assert services.lacking(promotion) == {"reviewer": 1, "validator": 1}
    sign(validator, promotion)
    promotion.refresh_from_db()
    assert promotion.status == "pending"


def test_what_a_deactivated_approver_signed_is_void_for_good(
    promotion, sign, reviewer, validator, admin, actor, run_jobs
):
    sign(reviewer, promotion)
    set_active(actor=actor(admin), account=reviewer, is_active=False, reason="Left.")
    run_jobs()
    decision = promotion.decisions.get()
    assert decision.void_reason == "reviewer was deactivated."
    set_active(actor=actor(admin), account=reviewer, is_active=True)
    assert services.lacking(promotion) == {"reviewer": 1, "validator": 1}
    voided = Event.objects.acting("approvals.approvals_voided").get()
    assert voided.fields["after"]["voided"] == ["reviewer"]


def test_the_password_of_a_signature_cannot_be_guessed(promotion, reviewer, actor, client_for):
    sent = {
        "decision": "approve",
        "reason": "It holds.",
        "revision": promotion.rev,
        "password": "wrong guess",
    }
    statuses = [client_for(reviewer).post(f"{promotion.address}decide/", sent).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]
    right = {**sent, "password": PASSWORD}
    assert client_for(reviewer).post(f"{promotion.address}decide/", right).status_code == 429
    assert not promotion.decisions.exists()


def test_a_new_policy_binds_requests_under_way(promotion, sign, reviewer, admin, actor, run_jobs):
    sign(reviewer, promotion)
    text = promotion.policy_revision.text.replace("role: validator, count: 1", "role: validator, count: 2")
    services.add_revision(
        actor=actor(admin), name="production", text=text, reason="Two validators from now on."
    )
    run_jobs()
    promotion.refresh_from_db()
    assert promotion.policy_revision.number == 2
    assert not Decision.objects.counting().exists()
    assert "policy" in Decision.objects.get().void_reason.lower()
    assert services.lacking(promotion) == {"reviewer": 1, "validator": 2}


def test_a_policy_that_changed_after_the_signatures_sends_the_request_back(
    promotion, sign, reviewer, validator, admin, actor
):
    approved(promotion, sign, reviewer, validator)
    text = promotion.policy_revision.text.replace("min: 0.60", "min: 0.65")
    services.add_revision(actor=actor(admin), name="production", text=text, reason="A higher floor.")
    assert execute(promotion).status == "pending"
    assert not Deployment.objects.exists()
    assert promotion.policy_revision.number == 2
    assert "policy" in promotion.failure


def test_bytes_that_changed_after_the_signatures_are_not_deployed(promotion, sign, reviewer, validator):
    from registry.models import ModelVersion

    approved(promotion, sign, reviewer, validator)
    ModelVersion.objects.filter(pk=promotion.version_id).update(integrity_failure="model.pkl has changed")
    assert execute(promotion).status == "pending"
    assert not Clearance.objects.exists()


def test_evidence_that_changed_after_the_signatures_sends_the_request_back(
    promotion, sign, reviewer, validator
):
    from registry.evaluations.models import Evaluation

    approved(promotion, sign, reviewer, validator)
    Evaluation.objects.filter(pk=promotion.evaluation_id).update(result_sha256="f" * 64)
    assert execute(promotion).status == "pending"
    assert "evaluation.result_sha256" in promotion.failure
    assert not Decision.objects.counting().exists()


def test_an_approval_nobody_used_in_time_is_no_approval(promotion, sign, reviewer, validator):
    approved(promotion, sign, reviewer, validator)
    PromotionRequest.objects.update(expires_at=timezone.now())
    assert execute(promotion).status == "pending"
    with transaction.atomic():
        job = enqueue("approvals.expire_requests")
    run_job(job.pk)
    promotion.refresh_from_db()
    assert promotion.status == "expired"


def test_a_deployment_that_cannot_start_does_not_leave_the_request_under_way(
    promotion, sign, reviewer, validator, scientist, actor
):
    approved(promotion, sign, reviewer, validator)
    services.note_outcome(
        actor=SYSTEM, promotion=promotion, status="failed", reason="The scorer did not start."
    )
    promotion.refresh_from_db()
    assert (promotion.status, promotion.failure) == ("failed", "The scorer did not start.")
    services.retry(actor=actor(scientist), promotion=promotion)
    assert execute(promotion).deployment is not None


def test_no_signature_counts_before_it_is_sealed(promotion, sign, reviewer, validator):
    approved(promotion, sign, reviewer, validator)
    assert not services.is_sealed(promotion)
    assert Job.objects.filter(kind="approvals.execute").get().status == "queued"


def test_refusals_of_every_kind_are_in_the_ledger(promotion, sign, reviewer, scientist, stranger, actor):
    attempts = [
        (scientist, {}, "self_approval"),
        (stranger, {}, "not_allowed"),
        (reviewer, {"revision": 99}, "stale_revision"),
        (reviewer, {"password": "wrong wrong wrong"}, "reauthentication_failed"),
    ]
    for account, change, code in attempts:
        with pytest.raises((NotAllowed, PreconditionFailed)):
            sign(account, promotion, **change)
        denied = Event.objects.ended("denied").order_by("-id")[0]
        assert (denied.fields["extra"]["code"], denied.fields["object"]["id"]) == (code, str(promotion.pk))
    assert PASSWORD not in "".join(Event.objects.values_list("body", flat=True))


def test_the_signature_is_of_the_canonical_statement(promotion, sign, reviewer):
    import json

    from core.canonical import canonical_json, sha256_hex

    sign(reviewer, promotion)
    decision = Decision.objects.get()
    statement = json.loads(decision.statement)
    assert canonical_json(statement) == decision.statement
    assert sha256_hex(decision.statement) == decision.signature_sha256
    assert statement["evidence_sha256"] == promotion.evidence_sha256
    event = Event.objects.keyed(decision.event_id).get()
    assert event.fields["after"]["signature_sha256"] == decision.signature_sha256
    assert event.fields["policy"]["sha256"] == promotion.policy_revision.sha256


def test_an_imported_version_has_its_models_owner_for_a_registrant(promotion, reviewer):
    version = promotion.version
    version.created_by, version.model.owner = None, reviewer.person
    assert reviewer.person_id in rights.contributors(promotion)
