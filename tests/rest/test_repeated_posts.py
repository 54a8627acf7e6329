"""A repeated POST is answered from memory only to who may still have the answer."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.api.models import IdempotentAnswer
from registry.access import services as access
from registry.models import ModelVersion, RegisteredModel
from tests.registry.conftest import make_model, make_version, tracking  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
JSON = "application/json"
KEY = {"Idempotency-Key": "once"}


@pytest.fixture
def shared(make_model, make_account, scientist, actor):
    """A model of the scientist on which a colleague may register."""
    model, colleague = make_model(), make_account("colleague", "data-scientist")
    access.grant(actor=actor(scientist), model=model, right="register", account=colleague, reason="Helps.")
    return model, colleague


def test_a_revoked_right_takes_the_kept_answer_away(shared, make_version, scientist, actor, token_client):
    model, colleague = shared
    source = f"models:/delays/{make_version(model).number}"
    machine, address = token_client(colleague), "/api/v1/models/delays/versions"
    first = machine.post(address, {"source": source}, JSON, headers=KEY)
    assert first.status_code in (201, 202)
    again = machine.post(address, {"source": source}, JSON, headers=KEY)
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    access.revoke(actor=actor(scientist), model=model, right="view", account=colleague, reason="Left.")
    after = machine.post(address, {"source": source}, JSON, headers=KEY)
    assert (after.status_code, after.get("Idempotent-Replayed")) == (404, None)
    assert "delays" not in after.json()["detail"]
    assert ModelVersion.objects.count() == 2


def test_a_created_model_is_not_shown_again_to_who_lost_it(make_account, admin, actor, token_client):
    maker = make_account("maker", "data-scientist")
    machine, sent = token_client(maker), {"name": "delays", "description": "of last year"}
    assert machine.post("/api/v1/models", sent, JSON, headers=KEY).status_code == 201
    model = RegisteredModel.objects.get()
    access.revoke(actor=actor(admin), model=model, right="view", account=maker, reason="Moved on.")
    again = machine.post("/api/v1/models", sent, JSON, headers=KEY)
    assert again.status_code == 404 and "of last year" not in again.content.decode()


def test_another_token_of_the_account_is_another_caller(scientist, token_client):
    sent = {"name": "delays"}
    wide, same, narrow = (
        token_client(scientist),
        token_client(scientist),
        token_client(scientist, ["view", "predict"]),
    )
    first = wide.post("/api/v1/models", sent, JSON, headers=KEY)
    assert same.post("/api/v1/models", sent, JSON, headers=KEY).json() == first.json()
    assert narrow.post("/api/v1/models", sent, JSON, headers=KEY).status_code == 403


def test_grants_given_are_repeated_to_who_still_administers(shared, scientist, admin, actor, token_client):
    model, _ = shared
    sent = {"model": "delays", "right": "propose", "account": "colleague", "reason": "Helps."}
    machine = token_client(scientist)
    first = machine.post("/api/v1/grants", sent, JSON, headers=KEY)
    assert first.status_code == 201
    assert machine.post("/api/v1/grants", sent, JSON, headers=KEY).json() == first.json()
    access.revoke(actor=actor(admin), model=model, right="administer", account=scientist, reason="Moved.")
    again = machine.post("/api/v1/grants", sent, JSON, headers=KEY)
    assert again.status_code == 404 and "granted_at" not in again.content.decode()


def test_a_browser_session_repeats_its_own(scientist, client_for):
    browser, sent = client_for(scientist), {"name": "delays"}
    first = browser.post("/api/v1/models", sent, JSON, headers=KEY)
    again = browser.post("/api/v1/models", sent, JSON, headers=KEY)
    assert (first.status_code, again.json(), again["Idempotent-Replayed"]) == (201, first.json(), "true")


def test_an_answer_lost_with_its_process_is_told_from_one_that_comes(scientist, token_client):
    machine, sent = token_client(scientist), {"name": "delays"}
    machine.post("/api/v1/models", sent, JSON, headers=KEY)
    IdempotentAnswer.objects.update(status=None)
    again = machine.post("/api/v1/models", sent, JSON, headers=KEY)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_key_running")
    IdempotentAnswer.objects.update(created_at=timezone.now() - timedelta(minutes=4))
    lost = machine.post("/api/v1/models", sent, JSON, headers=KEY)
    assert (lost.status_code, lost.json()["code"]) == (409, "idempotency_answer_lost")
