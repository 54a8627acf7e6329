"""Versions and models are deleted, and models renamed, by people who were told what follows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actors import Actor
from deployments.models import Deployment, Endpoint, Environment, Target
from registry import services
from registry.models import RegisteredModel
from registry.storage import services as storage
from registry.storage.models import Tombstone
from tests.registry.test_registering_models import events

pytestmark = pytest.mark.django_db
MODEL, PLACE = "/models/delays/", "/models/delays/versions/2/"
WHY = "Trained on the wrong month."


@pytest.fixture
def model(make_model, make_row):
    model = make_model()
    for _ in range(2):
        make_row(model)
    model.refresh_from_db()
    return model


@pytest.fixture
def client(client_for, scientist):
    return client_for(scientist)


def test_a_version_is_deleted_by_who_says_why_and_types_its_name(client, model, scientist, actor):
    version = model.versions.get(number=2)
    services.set_alias(actor=actor(scientist), model=model, alias="challenger", version=version)
    page = client.get(f"{PLACE}delete/").content.decode()
    for said in ("There is no undo", "challenger", f"sha256:{'a' * 64}", "2 is never used again"):
        assert said in page
    body = {"reason": WHY, "typed": "delays v2", "revision": version.rev}
    for change in ({"reason": " "}, {"typed": "delays v1"}, {"typed": ""}, {"revision": "x"}):
        answer = client.post(f"{PLACE}delete/", {**body, **change})
        assert answer.status_code == 422, change
        assert change.get("reason") or WHY in answer.content.decode()
    assert not Tombstone.objects.exists()
    answer = client.post(f"{PLACE}delete/", body, follow=True)
    assert answer.redirect_chain == [(PLACE, 302)]
    said = answer.content.decode()
    assert "delays v2 was deleted" in said
    assert WHY in said
    assert [each["reason"] for each in events("registry.version_deleted")] == [WHY]


def test_what_keeps_a_version_is_said_before_there_is_a_form(client, model, auditor, actor):
    version = model.versions.get(number=2)
    storage.place_hold(actor=actor(auditor), version=version, reason="Inquiry 12.")
    page = client.get(f"{PLACE}delete/").content.decode()
    assert "delays v2 cannot be deleted" in page
    assert "It is under legal hold (Inquiry 12.)" in page
    assert 'name="typed"' not in page
    body = {"reason": WHY, "typed": "delays v2", "revision": version.rev}
    answer = client.post(f"{PLACE}delete/", body)
    assert answer.status_code == 409
    assert "It is under legal hold (Inquiry 12.)" in answer.content.decode()
    assert [each["outcome"] for each in events("registry.delete_version")] == ["denied"]


def test_who_deletes_what_changed_meanwhile_is_asked_again(client, model, scientist, actor):
    version = model.versions.get(number=2)
    services.update_version(actor=actor(scientist), version=version, description="The best so far.")
    body = {"reason": WHY, "typed": "delays v2", "revision": version.rev}
    answer = client.post(f"{PLACE}delete/", body)
    assert answer.status_code == 412
    assert "It has changed since this page was read." in answer.content.decode()
    assert WHY in answer.content.decode()
    version.refresh_from_db()
    assert f'name="revision" value="{version.rev}"' in answer.content.decode()
    assert version.deleted_at is None


def test_a_model_is_deleted_with_its_versions(client, model):
    page = client.get(f"{MODEL}delete/").content.decode()
    assert "Delete the model and 2 versions" in page
    body = {"reason": WHY, "typed": "delays", "revision": model.rev}
    assert client.post(f"{MODEL}delete/", {**body, "typed": "Delays"}).status_code == 422
    answer = client.post(f"{MODEL}delete/", body)
    assert (answer.status_code, answer["Location"]) == (302, "/models/")
    assert client.get(MODEL).status_code == 404
    assert [stone.reason for stone in Tombstone.objects.all()] == [WHY, WHY]


def test_versions_that_keep_their_model_are_named(client, model):
    first = model.versions.get(number=1)
    services.move_protected_alias(actor=Actor.system(), model=model, alias="champion", version=first)
    page = client.get(f"{MODEL}delete/").content.decode()
    assert "delays cannot be deleted" in page
    assert "has the protected alias champion" in page
    assert 'name="typed"' not in page
    model.refresh_from_db()
    body = {"reason": WHY, "typed": "delays", "revision": model.rev}
    assert client.post(f"{MODEL}delete/", body).status_code == 409
    assert RegisteredModel.objects.existing().filter(pk=model.pk).exists()


def test_a_model_is_renamed_and_told_what_follows(client, model, make_model):
    page = client.get(f"{MODEL}edit/").content.decode()
    assert "finds nothing under the old name" in page
    make_model("taken")
    for name in ("", "a/b", "taken", "delays", "x" * 300):
        answer = client.post(f"{MODEL}rename/", {"new_name": name, "revision": model.rev})
        assert answer.status_code == 422, name
        assert 'id="rename_new_name_error"' in answer.content.decode()
    stale = client.post(f"{MODEL}rename/", {"new_name": "late flights", "revision": model.rev + 7})
    assert stale.status_code == 422
    assert 'value="late flights"' in stale.content.decode()
    assert f'name="revision" value="{model.rev}" id="rename_' in stale.content.decode()
    answer = client.post(f"{MODEL}rename/", {"new_name": "late flights", "revision": model.rev}, follow=True)
    assert answer.redirect_chain == [("/models/late%20flights/", 302)]
    assert "delays is now late flights." in answer.content.decode()
    assert client.get(MODEL).status_code == 404


def test_a_name_that_callers_need_is_not_offered_for_change(client, model):
    staging = Environment.objects.get(name="staging")
    target = Target.objects.get(name="local")
    endpoint = Endpoint.objects.create(model=model, environment=staging, target=target)
    version = model.versions.get(number=1)
    live = {"digest": version.digest, "status": "live", "slot": "stable", "is_protected": False}
    Deployment.objects.create(endpoint=endpoint, version=version, **live)
    Environment.objects.filter(pk=staging.pk).update(is_protected=True)
    page = client.get(f"{MODEL}edit/").content.decode()
    assert "The name must stay: it answers in staging, whose callers use its name." in page
    assert 'name="new_name"' not in page
    answer = client.post(f"{MODEL}rename/", {"new_name": "other", "revision": model.rev})
    assert answer.status_code == 422
    assert [each["outcome"] for each in events("registry.rename_model")] == ["denied"]


def test_strangers_find_nothing_and_who_only_views_is_refused(model, client_for, stranger, reviewer):
    body = {"reason": WHY, "typed": "delays", "new_name": "other", "revision": model.rev}
    doors = {
        f"{PLACE}delete/": "registry.require_describing",
        f"{MODEL}delete/": "registry.require_administering",
        f"{MODEL}rename/": "registry.require_administering",
    }
    for door, action in doors.items():
        before = len(events(action))
        assert client_for(stranger).post(door, body).status_code == 404
        assert len(events(action)) == before
        assert client_for(reviewer).post(door, body).status_code == 403
        assert len(events(action)) == before + 1
        if not door.endswith("rename/"):
            assert client_for(stranger).get(door).status_code == 404
            assert client_for(reviewer).get(door).status_code == 403
    assert RegisteredModel.objects.existing().get(name="delays").versions.existing().count() == 2


def test_who_only_registers_deletes_versions_and_not_the_model(model, client_for, stranger, scientist, actor):
    from registry.access.services import grant

    grant(actor=actor(scientist), model=model, right="register", account=stranger, reason="Helps.")
    client = client_for(stranger)
    assert f"{PLACE}delete/" in client.get(PLACE).content.decode()
    page = client.get(f"{MODEL}edit/").content.decode()
    assert f"{MODEL}rename/" not in page
    assert f"{MODEL}delete/" not in page
    assert client.get(f"{MODEL}delete/").status_code == 403
    assert client.get(f"{PLACE}delete/").status_code == 200


def test_the_pages_cost_the_same_for_1_and_12_versions(client, model, make_row, auditor, actor):
    def questions():
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"{MODEL}delete/").status_code == 200
        return len(seen)

    storage.place_hold(actor=actor(auditor), version=model.versions.get(number=1), reason="Inquiry.")
    client.get(f"{MODEL}delete/")
    one = questions()
    for _ in range(11):
        storage.place_hold(actor=actor(auditor), version=make_row(model), reason="Inquiry.")
    assert questions() == one
    assert "and 7 more" in client.get(f"{MODEL}delete/").content.decode()
