"""An evaluation that failed: the request, the version and the requester's inbox name the cause."""

import pytest

from approvals import services
from core.actors import Actor
from pipelines.models import Dataset
from registry.access.services import grant
from registry.evaluations.models import Evaluation
from registry.models import ModelVersion
from tests.approvals.conftest import measured

pytestmark = pytest.mark.django_db
PLACE = "/promotion-requests"
CAUSE = "The hold-out's data set names no label column, so nothing says which answers are right."


@pytest.fixture
def ask(scientist, version, production, actor):
    return lambda: services.request_promotion(
        actor=actor(scientist), version=version, environment=production, why="It knows the weather."
    )


def test_the_cause_stands_wherever_somebody_waits(ask, version, run_jobs, client_for, scientist, stranger):
    Dataset.objects.update(label_column="")
    promotion = ask()
    run_jobs()
    promotion.refresh_from_db()
    evaluation = Evaluation.objects.get()
    assert evaluation.failure.startswith(CAUSE)
    assert promotion.is_judged
    client = client_for(scientist)
    page = client.get(promotion.address)
    shown = page.content.decode()
    assert shown.count("data set names no label column") >= 4  # banner, metrics, gates
    assert f'href="{evaluation.address}"' in shown
    assert "The evaluation writes them when it ends" not in shown
    assert "the evaluation has no result yet" not in shown
    notes = [cell["note"] for cell in page.context["verdict"]]
    assert notes.count("the evaluation failed") == 3  # quality, weakest slice, latency
    observed = {gate.type: gate.observed for gate in page.context["gates"]}
    assert observed["latency"].startswith("the evaluation failed: The hold-out's data set names no")
    readiness = client.get(f"/models/{version.model.name}/versions/{version.number}/").context["readiness"]
    assert readiness.word == "Not yet"
    titles = [fact.title for fact in readiness.facts]
    assert "Its evaluation failed" in titles
    assert any(title.startswith("Gates fail: ") and title.endswith(" and 1 more") for title in titles)
    inbox = client.get("/inbox/").content.decode()
    assert "1 thing waits for you" in inbox
    assert "You asked for it; the evaluation failed: The hold-out&#x27;s data set names no" in inbox
    assert "Nothing waits for you" in client_for(stranger).get("/inbox/").content.decode()


def test_gates_that_forbid_approval_wait_for_the_requester(
    ask, answer, version, client_for, scientist, actor
):
    promotion = answer(ask(), measured(auc=0.5))
    client = client_for(scientist)
    title = promotion.gate_results.get(outcome="failed").title
    assert f"You asked for it; gates fail: {title}" in client.get("/inbox/").content.decode()
    page = client.get(f"/models/{version.model.name}/versions/{version.number}/")
    readiness, shown = page.context["readiness"], page.content.decode()
    assert (readiness.word, readiness.note) == ("Not yet", f"gates fail: {title}")
    assert "Promotion to production: gates fail" in shown and "needs review" not in shown
    assert shown.count(f'href="{promotion.address}"') >= 2
    for address in ("/models/", f"/search/?q={version.model.name}", promotion.address, "/inbox/"):
        said = client.get(address).content.decode().lower()
        assert "gates fail" in said and "needs review" not in said, address
    asked = client.get(f"/models/{version.model.name}/versions/{version.number}/promote/")
    assert f"Its state: gates fail: {title}." in asked.context["refusal"]["text"]
    services.withdraw(actor=actor(scientist), promotion=promotion, reason="Train it longer.")
    assert "Nothing waits for you" in client.get("/inbox/").content.decode()


def test_who_thinks_of_asking_reads_it_first(version, client_for, scientist):
    Dataset.objects.update(label_column="")
    address = f"/models/{version.model.name}/versions/{version.number}/promote/"
    assert "Its hold-out names no label column" in client_for(scientist).get(address).content.decode()
    assert ModelVersion.objects.get().is_ready


def test_who_may_not_see_the_data_reads_how_it_was_judged_and_not_what_it_says(
    ask, answer, version, client_for, token_client, scientist, stranger, actor, heldout
):
    data = version.datasets.get(role="holdout").dataset_version
    grant(actor=actor(scientist), model=version.model, right="view", account=stranger, reason="Looks on.")
    outcome = measured()
    outcome.slices.append(
        {
            "column": "carrier",
            "value": "secret_airline",
            "rows": 9,
            **outcome.comparison["metrics"]["roc_auc"],
        }
    )
    promotion = answer(ask(), outcome)

    def told(account):
        page = client_for(account).get(promotion.address).content.decode()
        place = f"/models/{version.model.name}/versions/{version.number}"
        rest = [f"{PLACE}/{promotion.pk}", f"{PLACE}/{promotion.pk}/evidence", place, f"{place}/lineage"]
        said = [token_client(account).get(f"/api/v1{each}").content.decode() for each in rest]
        return page, "".join([page, client_for(account).get(f"{place}/").content.decode(), *said])

    assert data.dataset.name in told(scientist)[0]
    assert "secret_airline" in told(scientist)[0]
    Evaluation.objects.update(status="failed", failure=f"{data.dataset.name} has no column secret_airline.")
    services.judge_gates(actor=Actor.system(), promotion=promotion)
    assert "has no column secret_airline" in told(scientist)[1]
    page, everything = told(stranger)
    assert "It failed on data you may not see" in page
    for each in (data.dataset.name, data.digest[:8], "secret_airline"):
        assert each not in everything, everything[everything.index(each) - 200 :][:300]
