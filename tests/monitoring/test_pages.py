"""The pages answer from windows, in the same number of queries for one model and for twelve."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.incidents import services as incidents
from monitoring.incidents.models import Incident
from tests.monitoring.test_from_log_to_incident import story  # noqa: F401 - fixture

pytestmark = pytest.mark.django_db(transaction=True)
RULE = {
    "name": "Below shadow",
    "metric": "roc_auc",
    "against": "shadow",
    "direction": "below",
    "window": "week",
}


@pytest.fixture
def told(story, operator, actor, run_jobs):
    """The story with labels and an open incident."""
    incidents.create_rule(actor=actor(operator), endpoint=story.endpoint, rule=RULE)
    story.send_labels(actor(operator))
    run_jobs()
    return story


def test_every_page_answers_first_and_a_stranger_finds_nothing(told, operator, stranger, client_for, admin):
    incident = Incident.objects.get()
    pages = {
        "/monitoring/": "delays needs you",
        "/models/delays/monitoring/": "v2 is worse than v1 on the same rows",
        "/models/delays/monitoring/?range=90d&metric=brier&window=week&feature=carrier": "carrier looks as in training",
        "/models/delays/monitoring/?range=24h": "delays in production",
        "/incidents/": "1 open incident",
        "/incidents/?show=all&model=delays": incident.title,
        f"/incidents/{incident.pk}/": "What was seen",
        "/costs/": "Prices",
        "/costs/?range=7d": "Prices",
    }
    person, nobody = client_for(operator), client_for(stranger)
    for address, words in pages.items():
        answer = person.get(address)
        assert answer.status_code == 200, address
        assert words in answer.content.decode(), address
        assert "style=" not in answer.content.decode()
    for query in ("range=1y", "until=tomorrow", "metric=f2", "window=hour", "until=0001-01-01"):
        answer = person.get(f"/models/delays/monitoring/?{query}")
        assert answer.status_code == 400
        assert query.split("=")[0] in answer.content.decode()
    assert nobody.get("/models/delays/monitoring/").status_code == 404
    assert nobody.get(f"/incidents/{incident.pk}/").status_code == 404
    for address in ("/monitoring/", "/incidents/", "/costs/"):
        answer = nobody.get(address)
        assert answer.status_code == 200
        assert "delays" not in answer.content.decode()
    assert "No open incident" in nobody.get("/incidents/?show=all").content.decode()


def test_queries_do_not_grow_with_models_or_features(told, operator, client_for, make_model):
    from deployments.models import Endpoint, Environment, Target
    from monitoring.models import Watch

    browser = client_for(operator)
    addresses = ["/monitoring/", "/incidents/", "/models/delays/monitoring/", "/costs/"]

    def counted(address):
        browser.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(address).status_code == 200
        return len(seen)

    before = {address: counted(address) for address in addresses}
    incident, watch = Incident.objects.get(), Watch.objects.get()
    for number in range(11):
        model = make_model(f"model {number}")
        endpoint = Endpoint.objects.create(
            model=model,
            environment=Environment.objects.get(name="production"),
            target=Target.objects.get(name="local"),
        )
        Watch.objects.create(endpoint=endpoint, summary=watch.summary, watermark=watch.watermark)
        Incident.objects.create(title="again", severity="warning", model=model, endpoint=endpoint, handler=operator,
                                status="acknowledged", acknowledged_at=incident.opened_at)  # fmt: skip
    assert {address: counted(address) for address in addresses} == before
    assert before["/models/delays/monitoring/"] <= 31, before
