"""The review page, the list, asking and deciding in the browser's forms."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals import services
from approvals.models import Decision, PromotionRequest
from core.identifiers import new_id
from pipelines.models import ContractCheck
from registry.models import VersionDataset
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def form(promotion, **more):
    given = {
        "decision": "approve",
        "reason": "The evidence holds.",
        "revision": promotion.rev,
        "password": PASSWORD,
    }
    return {**given, **more}


def test_two_people_sign_in_the_browser(promotion, reviewer, validator, client_for):
    for who in (reviewer, validator):
        page = client_for(who).get(promotion.address)
        assert "Review and sign" in page.content.decode()
        answer = client_for(who).post(f"{promotion.address}decide/", form(promotion))
        assert answer.status_code == 302
    promotion.refresh_from_db()
    assert promotion.status == "queued"


def test_the_requester_sees_why_they_may_not_sign(promotion, scientist, client_for):
    page = client_for(scientist).get(promotion.address).content.decode()
    assert "You opened this request" in page
    assert "Review and sign" not in page
    answer = client_for(scientist).post(f"{promotion.address}decide/", form(promotion))
    assert answer.status_code == 403
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"revision": ""}, 428),
        ({"revision": "99"}, 412),
        ({"revision": "one"}, 422),
        ({"decision": "bless"}, 422),
        ({"decision": "request_changes"}, 409),
        ({"password": "wrong wrong wrong"}, 403),
        ({"password": ""}, 422),
        ({"reason": "\x00\x00\x00\x00"}, 422),
    ],
)
def test_bad_decisions_change_nothing(promotion, reviewer, client_for, change, status):
    answer = client_for(reviewer).post(f"{promotion.address}decide/", form(promotion, **change))
    assert answer.status_code == status
    promotion.refresh_from_db()
    assert promotion.status == "pending"
    assert not Decision.objects.exists()


def test_the_cost_forecast_says_what_is_not_in_it(promotion, reviewer, client_for):
    page = client_for(reviewer).get(promotion.address).content.decode()
    forecast = page.split('id="cost"')[1].split("</section>")[0]
    assert "memory, idle time of the scorer, a shadow" in forecast


def test_a_stranger_finds_no_request_and_no_number_moves(promotion, stranger, client_for):
    client = client_for(stranger)
    assert client.get(promotion.address).status_code == 404
    assert client.post(f"{promotion.address}decide/", form(promotion)).status_code == 404
    page = client.get("/approvals/").content.decode()
    assert "No request waits" in page
    assert promotion.version.model.name not in page


def test_the_scientist_asks_by_the_form_and_is_told_what_will_be_checked(version, scientist, client_for):
    client = client_for(scientist)
    address = f"/models/{version.model.name}/versions/{version.number}/promote/"
    assert "auc_vs_champion" in client.get(address).content.decode()
    assert client.post(address, {"why": "short"}).status_code == 422
    assert client.post(address, {"why": "It knows the weather."}).status_code == 302
    again = client.post(address, {"why": "It knows the weather."})
    assert again.status_code == 422
    assert PromotionRequest.objects.get().address in again.content.decode()


def test_the_inbox_and_the_sidebar_know_what_waits(promotion, reviewer, scientist, client_for):
    page = client_for(reviewer).get("/inbox/").content.decode()
    assert f"Promote {promotion.version} to production" in page
    assert '<span class="count">1</span>' in page
    assert "Nothing waits for you" in client_for(scientist).get("/inbox/").content.decode()


def queries_of(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def test_the_list_asks_as_many_queries_for_one_row_as_for_many(promotion, auditor, client_for):
    client = client_for(auditor)
    one = queries_of(client, "/approvals/")
    PromotionRequest.objects.filter(pk=promotion.pk).update(status="rejected")
    promotion.status = "rejected"
    for _ in range(11):
        promotion.pk, promotion._state.adding = new_id(), True
        promotion.save(force_insert=True)
    assert queries_of(client, "/approvals/") == one


def test_the_review_page_asks_as_many_queries_for_a_dozen_of_everything(
    promotion, version, heldout, reviewer, validator, sign, client_for
):
    sign(validator, promotion)
    client = client_for(reviewer)
    one = queries_of(client, promotion.address)
    promotion.refresh_from_db()
    gate, decision = promotion.gate_results.first(), promotion.decisions.first()
    rows = version.datasets.first().dataset_version
    contract = rows.dataset.contract()
    for number in range(11):
        gate.pk, gate.gate = None, f"gate {number}"
        gate.save(force_insert=True)
        decision.pk, decision.voided_at, decision._state.adding = new_id(), timezone.now(), True
        decision.save(force_insert=True)
        rows.pk, rows.number, rows.label, rows._state.adding = new_id(), 100 + number, str(number), True
        rows.source_digest = f"{number:064x}"
        rows.save(force_insert=True)
        ContractCheck.objects.create(version=rows, contract=contract, status="passed")
        VersionDataset.objects.create(version=version, dataset_version=rows, role="training")
    page = client.get(promotion.address).content.decode()
    assert page.count('class="gate ') >= 12
    assert queries_of(client, promotion.address) == one


def test_a_wrong_password_loses_nothing_that_was_written(promotion, reviewer, client_for):
    address = f"{promotion.address}decide/"
    sent = form(promotion, reason="The slices hold <too>.", password="wrong wrong wrong")
    page = client_for(reviewer).post(address, sent).content.decode()
    assert "The slices hold &lt;too&gt;." in page
    assert page.count("data-reopen") == 1
    assert "The password is not right" in page and "wrong wrong" not in page
    assert client_for(reviewer).get(address).url == promotion.address


def test_the_version_page_asks_for_a_promotion_and_tells_of_a_rollback(
    promotion, version, scientist, reviewer, operator, client_for
):
    page = f"/models/{version.model.name}/versions/{version.number}/"
    assert promotion.address in client_for(scientist).get(page).content.decode()
    promotion.status, promotion.failure = "rolled_back", "It ranked worse than v1."
    promotion.save()
    shown = client_for(scientist).get(page).content.decode()
    assert f"{page}promote/" in shown
    assert "Rolled back in production" in shown and "It ranked worse than v1." in shown
    assert f"{page}promote/" not in client_for(operator).get(page).content.decode()


def test_every_gate_names_its_evidence(promotion, reviewer, client_for):
    page = client_for(reviewer).get(promotion.address).content.decode()
    assert page.count(f'href="{promotion.evaluation.address}"') > 2
    assert page.count("Evidence of the gate") == promotion.gate_results.count()


def test_a_champion_that_has_seen_the_hold_out_is_named(
    version, promotion, make_version, reviewer, client_for
):
    champion = make_version(version.model)
    rows = promotion.evaluation.dataset_version
    VersionDataset.objects.create(version=champion, dataset_version=rows, role="training")
    promotion.champion = champion
    promotion.save()
    page = client_for(reviewer).get(promotion.address).content.decode()
    assert f"The champion v{champion.number} was trained on data this hold-out was cut from" in page
    VersionDataset.objects.create(version=champion, dataset_version=rows, role="holdout")
    assert "was cut from" not in client_for(reviewer).get(promotion.address).content.decode()


@pytest.mark.parametrize("path", ["/approvals/?status=zzz", "/jobs/?status=zzz", "/models/?tier=zzz",
                                  "/incidents/?show=zzz", "/deployments/?status=zzz"])  # fmt: skip
def test_a_filter_that_is_not_known_is_refused_by_name(path, auditor, client_for):
    answer = client_for(auditor).get(path)
    assert answer.status_code == 400
    assert "must be one of" in answer.content.decode()


def test_an_address_that_takes_forms_alone_says_so(promotion, reviewer, client_for):
    answer = client_for(reviewer).get(f"{promotion.address}withdraw/")
    assert answer.status_code == 405 and answer["Allow"] == "POST"
    assert "only takes what a form of ours sends" in answer.content.decode()


def test_who_is_asked_again_for_a_version_that_was_rolled_back_is_told(
    promotion, version, scientist, production, actor, reviewer, client_for
):
    promotion.status, promotion.failure = "rolled_back", "It ranked worse than v1."
    promotion.save()
    again = services.request_promotion(
        actor=actor(scientist), version=version, environment=production, why="Perhaps it was the furlough."
    )
    page = client_for(reviewer).get(again.address).content.decode()
    assert "was rolled back in production before" in page
    assert "It ranked worse than v1." in page and promotion.address in page
    assert (
        "was rolled back in production before"
        not in client_for(reviewer).get(promotion.address).content.decode()
    )
