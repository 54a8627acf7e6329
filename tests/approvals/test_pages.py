"""The review page, the list, asking and deciding in the browser's forms."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals import services
from approvals.models import Decision, PromotionRequest
from approvals.services.deciding import EvidenceChanged
from core.actors import Actor
from core.errors import Conflict
from core.identifiers import new_id
from deployments.models import Endpoint
from pipelines.models import ContractCheck, DataContract
from registry.cards.models import CardRevision
from registry.models import VersionDataset
from registry.scans.models import Scan
from registry.signing.models import TrustedKey, VersionSignature
from tests.conftest import PASSWORD
from tests.deployments.conftest import deploy, system  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


def form(promotion, **more):
    given = {
        "decision": "approve",
        "reason": "The evidence holds.",
        "revision": promotion.rev,
        "password": PASSWORD,
    }
    return {**given, **more}


def test_an_auditor_goes_from_a_request_to_what_happened_to_it(promotion, auditor, scientist, client_for):
    trail = f"/audit/?object_type=approvals.promotionrequest&amp;object_id={promotion.pk}"
    assert trail in client_for(auditor).get(promotion.address).content.decode()
    assert "approvals.requested" in client_for(auditor).get(trail.replace("&amp;", "&")).content.decode()
    assert trail not in client_for(scientist).get(promotion.address).content.decode()


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
    asked = client.get(address).content.decode()
    assert "ROC AUC against the champion" in asked and "auc_vs_champion" not in asked
    assert "95 % lower bound of the difference at least 0; a failure blocks" in asked
    assert "1 reviewer" in asked
    assert client.post(address, {"why": "short"}).status_code == 422
    assert client.post(address, {"why": "It knows the weather."}).status_code == 302
    again = client.post(address, {"why": "It knows the weather."})
    assert again.status_code == 422
    assert PromotionRequest.objects.get().address in again.content.decode()
    assert "It knows the weather." in again.content.decode()
    before_typing = client.get(address).content.decode()
    assert PromotionRequest.objects.get().address in before_typing and "<textarea" not in before_typing


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


def test_the_list_says_how_each_request_stands(promotion, sign, reviewer, client_for):
    client = client_for(reviewer)

    def row():
        return client.get("/approvals/").context["rows"][0][1]

    assert row().words == "0 of 2 approvals given"
    sign(reviewer, promotion)
    assert row().words == "1 of 2 approvals given"
    gate = blocked(promotion)
    assert (row().words, row().tone) == (f"Gates fail: {gate.title}", "bad")
    listed = client.get("/approvals/").content.decode()
    assert "Gates fail</span>" in listed and "No request waits for signatures" in listed
    PromotionRequest.objects.filter(pk=promotion.pk).update(status="rejected")
    assert row().words.endswith("gates did not pass") and row().tone == "warn"
    comparison = promotion.evaluation.comparison
    comparison["metrics"]["roc_auc"]["difference"] = {"estimate": 0.02, "low": 0.01, "high": 0.03}
    type(promotion.evaluation).objects.filter(pk=promotion.evaluation_id).update(comparison=comparison)
    assert row().mark["verdict"] == "Better"
    assert 'class="forest' in client.get("/approvals/").content.decode()


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
    contract = DataContract.objects.newest_of(rows.dataset)
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


def blocked(promotion):
    gate = promotion.gate_results.filter(mode="block").first()
    gate.outcome = "failed"
    gate.save()
    return gate


def test_nobody_is_offered_to_approve_what_the_policy_forbids(promotion, reviewer, client_for):
    gate = blocked(promotion)
    page = client_for(reviewer).get(promotion.address).content.decode()
    assert f"1 gate that blocks fails: {gate.title}." in page
    assert 'data-open="sign"' not in page and 'id="sign"' not in page
    assert page.count('data-open="refuse"') == 2


@pytest.mark.parametrize("way", ["gate", "revision", "closed"])
def test_a_refused_signature_gives_back_what_was_written(promotion, reviewer, client_for, way):
    sent = form(promotion, reason="The slices hold <too>.")
    if way == "gate":
        expected = f"The policy forbids it: {blocked(promotion).title}."
    elif way == "revision":
        sent["revision"], expected = promotion.rev + 1, "Read it again."
    else:
        PromotionRequest.objects.filter(pk=promotion.pk).update(status="expired")
        expected = "The request is expired; it takes no decision."
    answer = client_for(reviewer).post(f"{promotion.address}decide/", sent)
    page = answer.content.decode()
    assert answer.status_code == (412 if way == "revision" else 409)
    assert "Nothing was signed." in page and expected in page
    assert "The slices hold &lt;too&gt;." in page
    assert PASSWORD not in page and "data-reopen" not in page
    assert not Decision.objects.exists()


def test_the_champion_is_not_offered_to_itself(version, production, scientist, deploy, client_for):
    deployment = deploy(version, production)
    Endpoint.objects.filter(pk=deployment.endpoint_id).update(live=deployment)
    page = client_for(scientist).get(promote_address(version)).content.decode()
    assert f"{version} is live in production already" in page
    assert f"/deployments/{deployment.pk}/" in page
    assert "<textarea" not in page and "replaces champion" not in page


def test_who_may_not_ask_for_a_promotion_is_told_before_writing(version, reviewer, client_for):
    page = client_for(reviewer).get(promote_address(version)).content.decode()
    assert "You may not request promotions" in page and "<textarea" not in page


def promote_address(version):
    return f"/models/{version.model.name}/versions/{version.number}/promote/"


def test_the_review_page_knows_what_the_registry_knows(
    promotion, version, make_version, model_files, reviewer, admin, client_for
):
    champion = version
    candidate = make_version(
        version.model, files=model_files(2, **{"requirements.txt": "scikit-learn==1.5.0\npandas>=2\n"})
    )
    PromotionRequest.objects.filter(pk=promotion.pk).update(version=candidate, champion=champion)
    text = "It ranks the flights of tomorrow by their risk of being late."
    for number, start, sections in ((1, 1, {"purpose": text}), (2, 2, {"purpose": text, "limits": text})):
        CardRevision.objects.create(model=version.model, number=number, from_version=start, sections=sections)
    key = TrustedKey.objects.create(
        name="build server", public_key="", fingerprint="f" * 64, reason="x", added_by=admin
    )
    VersionSignature.objects.create(version=candidate, outcome="verified", key=key)
    Scan.objects.filter(version=candidate).delete()
    Scan.objects.create(version=candidate, digest="a" * 64, status="finished", verdict="unproven")
    page = client_for(reviewer).get(promotion.address).content.decode()
    artifact = page.split('id="artifact"')[1].split('id="cost"')[0]
    assert "by build server" in artifact
    assert "Nothing dangerous found, but its format can run code" in artifact
    assert "1 pinned" in artifact and f"/versions/{candidate.number}/sbom" in artifact
    assert "python_function, sklearn" in artifact
    assert f"Revision 2; 1 section changed against v{champion.number}" in artifact
    assert "Changed: known limits." in artifact


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
    said = f"The champion v{champion.number} was trained on data that holds rows of this hold-out"
    assert said in client_for(reviewer).get(promotion.address).content.decode()
    VersionDataset.objects.create(version=champion, dataset_version=rows, role="holdout")
    assert said in client_for(reviewer).get(promotion.address).content.decode()
    VersionDataset.objects.filter(version=champion, role="training").delete()
    assert said not in client_for(reviewer).get(promotion.address).content.decode()


def test_a_candidate_judged_on_rows_it_was_trained_on_is_not_signed(promotion, sign, reviewer, client_for):
    rows = promotion.evaluation.dataset_version
    VersionDataset.objects.create(version=promotion.version, dataset_version=rows, role="training")
    with pytest.raises(EvidenceChanged):
        sign(reviewer, promotion)
    services.judge_gates(actor=Actor.system(), promotion=promotion)
    failed = promotion.gate_results.get(gate="auc_floor", rev=promotion.rev + 1)
    assert (failed.outcome, failed.observed) == ("failed", "0.7200, judged on rows it was trained on")
    page = client_for(reviewer).get(promotion.address).content.decode()
    before, after = page.split('id="metrics"')
    assert f"{promotion.version} is judged on rows it was trained on ({rows})." in before
    assert "rows that it was" in after and "held-out rows" not in after
    with pytest.raises(Conflict, match="The policy forbids it"):
        sign(reviewer, promotion)


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
