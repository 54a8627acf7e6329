"""An open request whose evaluation failed, or whose evidence has changed, is evaluated again where it is."""

import pytest

from approvals import services
from approvals.models import PromotionRequest
from audit.models import Event
from core.actors import Actor
from core.errors import Conflict
from core.jobs.models import Job
from deployments.models import Deployment, Endpoint
from pipelines.models import ContractCheck, Dataset
from registry.evaluations.models import Evaluation
from tests.approvals.conftest import measured
from tests.approvals.test_races import at_once
from tests.deployments.conftest import deploy, system  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
ASKED = "approvals.evaluation_requested"


@pytest.fixture
def failed(scientist, version, production, actor, run_jobs):
    """Asked for while the hold-out named no label column; the cause is mended since."""
    Dataset.objects.update(label_column="")
    asked = services.request_promotion(
        actor=actor(scientist), version=version, environment=production, why="It knows the weather."
    )
    run_jobs()
    Dataset.objects.update(label_column="late")
    asked.refresh_from_db()
    assert asked.is_judged and asked.evaluation.status == "failed"
    return asked


@pytest.fixture
def broken(promotion):
    """Judged; then the data behind it failed its contract, and no worker has heard of it."""
    ContractCheck.objects.update(status="failed")
    return promotion


def by_rest(promotion):
    return f"/api/v1/promotion-requests/{promotion.pk}/evaluate-again"


def test_the_requester_has_a_failed_evaluation_repeated_in_the_browser(
    failed, answer, scientist, reviewer, validator, sign, client_for
):
    client, button = client_for(scientist), f'action="{failed.address}evaluate-again/"'
    assert button in client.get(failed.address).content.decode()
    first = failed.evaluation
    for _ in range(2):  # a double click asks once
        assert client.post(f"{failed.address}evaluate-again/").url == failed.address
    failed.refresh_from_db()
    assert failed.evaluation.status == "pending" and failed.evaluation != first
    assert Event.objects.acting(ASKED).count() == 1
    seen = client.get(failed.address)
    page, cells = seen.content.decode(), {cell["name"]: cell for cell in seen.context["verdict"]}
    assert cells["Gates"]["value"] == "running"
    assert cells["Weakest slice"]["note"] == "the evaluation has no result yet"
    assert "The evidence is being gathered again." in page and "Evaluating</span>" in page
    assert button not in page
    poll = f"{failed.address}gates/"
    assert client.get(poll).status_code == 204
    with pytest.raises(Conflict) as early:
        sign(reviewer, failed)
    assert early.value.code == "evidence_running"
    answer(failed)
    assert client.get(poll).status_code == 286
    page = client.get(failed.address).content.decode()
    assert "had it evaluated again" in page and button not in page
    assert sign(reviewer, failed).status == "pending"
    assert sign(validator, failed).status == "queued"


def test_a_reviewer_may_and_still_decides(failed, answer, reviewer, token_client, sign):
    client = token_client(reviewer)
    done = client.post(by_rest(failed))
    assert (done.status_code, done.json()["state"]) == (202, "Evaluating"), done.content
    assert client.get("/api/v1/promotion-requests").json()["items"][0]["state"] == "Evaluating"
    assert client.post(by_rest(failed)).status_code == 202
    assert Evaluation.objects.count() == 2
    failed.refresh_from_db()
    answer(failed)
    assert sign(reviewer, failed).decisions.count() == 1


def test_who_may_neither_ask_nor_approve_is_refused_and_it_is_written_down(
    failed, auditor, scientist, client_for, token_client
):
    client = client_for(auditor)
    assert "evaluate-again" not in client.get(failed.address).content.decode()
    assert client.post(f"{failed.address}evaluate-again/").status_code == 403
    assert token_client(scientist, ["view"]).post(by_rest(failed)).status_code == 403
    denied = [event.fields["outcome"] for event in Event.objects.acting("approvals.evaluate_again")]
    assert denied == ["denied", "denied"]
    assert Evaluation.objects.count() == 1


def test_a_stranger_finds_nothing_to_evaluate(failed, stranger, client_for, token_client):
    assert client_for(stranger).post(f"{failed.address}evaluate-again/").status_code == 404
    assert token_client(stranger).post(by_rest(failed)).status_code == 404
    assert Evaluation.objects.count() == 1


def test_evidence_that_changed_is_named_and_judged_again(
    broken, scientist, reviewer, sign, run_jobs, client_for
):
    decided = Event.objects.acting("approvals.approvals_voided")
    ContractCheck.objects.update(status="passed")
    sign(reviewer, broken)
    ContractCheck.objects.update(status="failed")
    client = client_for(scientist)
    page = client.get(broken.address).content.decode()
    assert "What was judged is no longer so." in page
    one, other = (check.version for check in ContractCheck.objects.order_by("version_id"))
    assert f"{one} fails, {other} fails (was: 2 data set versions hold)" in page
    assert "gates.contract" not in page
    client.post(f"{broken.address}evaluate-again/")
    client.post(f"{broken.address}evaluate-again/")
    assert Job.objects.filter(kind="approvals.judge_gates").count() == 1
    assert Evaluation.objects.count() == 1  # the same bytes on the same rows were answered already
    run_jobs()
    broken.refresh_from_db()
    assert broken.rev == 2 and decided.count() == 1
    assert "What was judged is no longer so." not in client.get(broken.address).content.decode()


def test_the_champion_of_now_is_what_it_is_compared_with(
    promotion,
    version,
    production,
    make_version,
    deploy,
    answer,
    scientist,
    actor,
    client_for,
):
    other = make_version(version.model)
    Endpoint.objects.filter(pk=deploy(other, production).endpoint_id).update(live=Deployment.objects.get())
    assert f"v{other.number} is live in production by now" in (
        client_for(scientist).get(promotion.address).content.decode()
    )
    services.evaluate_again(actor=actor(scientist), promotion=promotion)
    promotion.refresh_from_db()
    assert (promotion.champion, promotion.evaluation.champion) == (other, other)
    event = Event.objects.acting(ASKED).get()
    assert (event.fields["before"], event.fields["after"]["champion"]) == ({"champion": None}, other.number)
    judged = answer(promotion, measured(difference=0.02))
    assert judged.evidence["champion"]["version"] == other.number


def test_what_stands_as_judged_and_what_is_closed_are_not_evaluated(promotion, scientist, actor):
    by = actor(scientist)
    with pytest.raises(Conflict) as unchanged:
        services.evaluate_again(actor=by, promotion=promotion)
    assert unchanged.value.code == "evidence_unchanged"
    PromotionRequest.objects.filter(pk=promotion.pk).update(status="rejected")
    with pytest.raises(Conflict, match="is rejected") as closed:
        services.evaluate_again(actor=by, promotion=promotion)
    assert closed.value.code == "not_open"
    refused = Event.objects.acting("approvals.evaluate_again")
    assert {each.fields["extra"]["code"] for each in refused} == {"evidence_unchanged", "not_open"}


def test_a_judgement_that_finds_the_same_is_still_a_judgement(failed):
    """Else the page of a request that failed twice alike would wait for it for ever."""
    PromotionRequest.objects.update(gates_judged_at="2020-01-01T00:00:00Z")
    services.judge_gates(actor=Actor.system(), promotion=failed)
    failed.refresh_from_db()
    assert failed.rev == 1 and failed.gates_judged_at.year > 2020


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_ask_for_one_evaluation(failed, scientist, actor):
    by = actor(scientist)

    def again():
        services.evaluate_again(actor=by, promotion=PromotionRequest.objects.get(pk=failed.pk))

    assert at_once(*[again] * 8) == []
    assert Evaluation.objects.count() == 2
    assert Event.objects.acting(ASKED).count() == 1
