"""What somebody was asked about, answered about or served is never deleted, through any door."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from approvals import services
from approvals.models import PromotionRequest
from audit.models import Event
from core.errors import Conflict, NotFound
from deployments.models import Deployment, Environment
from deployments.services import create_endpoint, start_deployment
from registry import services as registry
from registry.models import ModelVersion

pytestmark = pytest.mark.django_db


def withdrawn(promotion, scientist, actor):
    return services.withdraw(
        actor=actor(scientist), promotion=promotion, reason="Trained on the wrong month."
    )


def test_a_version_under_review_stays_through_every_door(promotion, version, scientist, token_client):
    client = token_client(scientist)
    address = f"/api/v1/models/{version.model}"
    why = "open promotion request to production"
    for asked in (f"{address}/versions/{version.number}", address):
        answer = client.delete(asked, headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (409, "version_is_needed")
        assert why in answer.json()["detail"]
    named = {"name": version.model.name, "version": str(version.number)}
    for call in ("model-versions/delete", "registered-models/delete"):
        place = f"/api/2.0/mlflow/{call}"
        answer = client.delete(place, data=named, content_type="application/json")
        assert why in answer.json()["message"] and 400 <= answer.status_code < 500
    assert f"version {version.number} has an open" in answer.json()["message"]
    version.refresh_from_db()
    assert version.deleted_at is None and version.model.deleted_at is None


def test_each_refusal_is_in_the_trail(promotion, version, scientist, actor):
    for refused in (
        lambda: registry.delete_version(actor=actor(scientist), version=version),
        lambda: registry.delete_model(actor=actor(scientist), model=version.model),
    ):
        with pytest.raises(Conflict):
            refused()
    for action in ("registry.delete_version", "registry.delete_model"):
        event = Event.objects.acting(action).get()
        assert (event.fields["outcome"], event.fields["extra"]["code"]) == ("denied", "version_is_needed")


def test_a_question_taken_back_unanswered_keeps_nothing(promotion, version, scientist, actor):
    withdrawn(promotion, scientist, actor)
    registry.delete_version(actor=actor(scientist), version=version)
    version.refresh_from_db()
    assert version.deleted_at is not None


def test_a_signature_keeps_the_version_even_when_it_said_no(
    promotion, version, scientist, reviewer, actor, sign
):
    sign(reviewer, promotion)
    withdrawn(promotion, scientist, actor)
    with pytest.raises(Conflict, match="was decided on for production"):
        registry.delete_version(actor=actor(scientist), version=version)


def test_a_released_version_stays_when_it_is_no_longer_live(promotion, version, scientist, actor):
    for status in PromotionRequest.RELEASED:
        PromotionRequest.objects.filter(pk=promotion.pk).update(status=status)
        with pytest.raises(Conflict, match="was released to production"):
            registry.delete_version(actor=actor(scientist), version=version)


def test_a_version_that_was_ever_live_stays(version, operator, scientist, actor):
    staging = Environment.objects.get(name="staging")
    endpoint = create_endpoint(actor=actor(operator), model=version.model, environment=staging)
    deployment = start_deployment(actor=actor(operator), endpoint=endpoint, version=version)
    Deployment.objects.filter(pk=deployment.pk).update(status="retired", live_at=timezone.now())
    with pytest.raises(Conflict, match="was live in staging"):
        registry.delete_version(actor=actor(scientist), version=version)


def test_a_version_that_never_came_up_may_go(version, operator, scientist, actor):
    staging = Environment.objects.get(name="staging")
    endpoint = create_endpoint(actor=actor(operator), model=version.model, environment=staging)
    deployment = start_deployment(actor=actor(operator), endpoint=endpoint, version=version)
    Deployment.objects.filter(pk=deployment.pk).update(status="failed")
    registry.delete_version(actor=actor(scientist), version=version)


@pytest.mark.django_db(transaction=True)
def test_asking_and_deleting_at_once_never_leave_a_request_about_nothing(
    make_model, make_version, scientist, actor, production
):
    by, model = actor(scientist), make_model()
    versions = [make_version(model) for _ in range(4)]
    failures = []

    def attempt(ready, act):
        try:
            ready.wait()
            act()
        except (Conflict, NotFound):
            pass
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    def ask(version):
        services.request_promotion(
            actor=by, version=version, environment=production, why="It knows the weather."
        )

    for version in versions:
        ready = threading.Barrier(2)
        both = (
            lambda each=version: ask(each),
            lambda each=version: registry.delete_version(actor=by, version=each),
        )
        threads = [threading.Thread(target=attempt, args=(ready, act)) for act in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    asked = set(PromotionRequest.objects.values_list("version", flat=True))
    gone = set(ModelVersion.objects.filter(deleted_at__isnull=False).values_list("pk", flat=True))
    assert asked | gone == {each.pk for each in versions}
    assert not asked & gone
