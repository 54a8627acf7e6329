"""Who has an account, and what hidden things are called, is learned from no answer that need not say it."""

import pytest

from audit.models import Event
from core.errors import Conflict
from pipelines.services import create_dataset
from pipelines.sources.services import add_source, grant_use
from registry import services
from registry.access import services as access
from tests.registry.conftest import make_model  # noqa: F401 - fixture

pytestmark = pytest.mark.django_db
JSON = "application/json"
WHY = "Because."


@pytest.fixture
def other(make_account):
    return make_account("other", "data-scientist")


def answers(client, method, address, bodies):
    """Statuses and sentences, which must not tell one body from another."""
    sent = [getattr(client, method)(address, body, JSON, headers={"If-Match": "*"}) for body in bodies]
    return {(each.status_code, each.json()["detail"]) for each in sent}


NAMES = ({"account": "reviewer"}, {"account": "nobody"}, {"group": "reviewer"}, {"group": "no-group"})


@pytest.mark.parametrize("address", ["/api/v1/grants", "/api/v1/grants/revoke"])
def test_grants_name_people_only_to_who_may_grant(
    make_model,
    scientist,
    reviewer,
    other,
    stranger,
    actor,
    token_client,
    address,
):
    model = make_model()
    bodies = [{"model": "delays", "right": "view", "reason": WHY, **name} for name in NAMES]
    [(status, _)] = answers(token_client(stranger), "post", address, bodies)
    assert status == 404
    access.grant(actor=actor(scientist), model=model, right="register", account=other, reason=WHY)
    [(status, said)] = answers(token_client(other), "post", address, bodies)
    assert status == 403 and "administer" in said
    assert Event.objects.acting("registry.require_granting").ended("denied").count() == len(NAMES)
    unknown = token_client(scientist).post(address, bodies[1], JSON)
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (400, "/account")


def test_the_page_that_revokes_asks_for_the_right_first(make_model, reviewer, client_for):
    make_model()
    place, browser = "/models/delays/access/revoke/", client_for(reviewer)
    said = {
        browser.post(place, {"right": "view", "reason": WHY, "account": name}).status_code
        for name in ("scientist", "nobody")
    }
    assert said == {403}


def test_owners_are_looked_up_for_who_may_name_them(
    make_model,
    scientist,
    reviewer,
    other,
    stranger,
    actor,
    token_client,
):
    bodies = [{"name": "mine", "owner": name} for name in ("scientist", "nobody")]
    [(status, _)] = answers(token_client(stranger), "post", "/api/v1/models", bodies)
    assert status == 403
    model = make_model()
    access.grant(actor=actor(scientist), model=model, right="register", account=other, reason=WHY)
    changes = [{"owner": name} for name in ("scientist", "nobody")]
    [(status, _)] = answers(token_client(other), "patch", "/api/v1/models/delays", changes)
    assert status == 403
    missing = token_client(scientist).post("/api/v1/models", bodies[1], JSON)
    assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (400, "/owner")


def test_sources_name_people_only_to_who_administers_them(
    scientist, reviewer, admin, actor, token_client, settings
):
    settings.DATASETS_SQL_SOURCES = {"warehouse": "postgresql://nowhere.invalid/x"}
    source = add_source(actor=actor(admin), name="warehouse", kind="sql")
    grant_use(actor=actor(admin), source=source, account=scientist, reason=WHY)
    bodies = [{"reason": WHY, **name} for name in NAMES]
    for place in ("", "/revoke"):
        address = f"/api/v1/data-sources/warehouse/grants{place}"
        [(status, _)] = answers(token_client(scientist), "post", address, bodies)
        assert status == 403
        assert token_client(admin).post(address, bodies[1], JSON).status_code == 400


def test_a_name_taken_by_something_hidden_is_said_plainly_and_recorded(
    make_model,
    scientist,
    other,
    actor,
    token_client,
):
    """Names are shared by the whole installation; whoever probes them is in the ledger."""
    make_model()
    create_dataset(actor=actor(scientist), name="flights")
    services.create_model(actor=actor(other), name="arrivals")
    machine = token_client(other)
    for address, name in (("models", "delays"), ("datasets", "flights")):
        answer = machine.post(f"/api/v1/{address}", {"name": name}, JSON)
        assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    renamed = machine.patch("/api/v1/models/arrivals", {"name": "delays"}, JSON, headers={"If-Match": "*"})
    assert renamed.json()["code"] == "name_taken"
    for action in ("registry.create_model", "pipelines.create_dataset", "registry.change_model"):
        [event] = Event.objects.acting(action).ended("denied")
        assert (event.fields["actor"]["name"], event.fields["extra"]["code"]) == ("other", "name_taken")
    with pytest.raises(Conflict):
        services.create_model(actor=actor(scientist), name="delays")
    assert Event.objects.acting("registry.create_model").ended("denied").count() == 1
