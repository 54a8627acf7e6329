"""From a change to the receiver: written with it, sent after it, tried again, given up, replayed."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from standardwebhooks import Webhook as Verifier

from core.actors import Actor
from core.errors import Conflict
from core.jobs.lease import Lease
from core.jobs.models import Job
from core.jobs.run import reap, run_job
from registry import services as registry
from workspace.webhooks import delivering, services, tasks
from workspace.webhooks.models import Delivery, Webhook

pytestmark = pytest.mark.django_db


def sent(receiver):
    return [json.loads(body) for _, _, body in receiver.got]


def due():
    """Let what was put off be due."""
    Webhook.objects.update(held_until=None)
    Job.objects.filter(status="queued").update(run_after=Now() - timedelta(seconds=1))


def send_due():
    """Do the sending that is due, and nothing that was put off."""
    for job in Job.objects.due().filter(kind="workspace.deliver_webhook").order_by("created_at"):
        run_job(job.pk)


def test_a_change_is_sent_signed_for_both_kinds_of_receiver(make_webhook, receiver, make_model, run_jobs):
    _, secret = make_webhook("registered_model.created")
    make_model("delays", description="late flights", tags={"team": "ops"})
    run_jobs()
    [(path, headers, body)] = receiver.got
    assert (path, headers["Content-Type"]) == ("/hook", "application/json")
    told = Verifier(secret).verify(body, headers)
    assert (told["entity"], told["action"]) == ("registered_model", "created")
    assert told["data"] == {"name": "delays", "tags": {"team": "ops"}, "description": "late flights"}
    about = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.{body}".encode()
    expected = base64.b64encode(hmac.new(secret.encode(), about, hashlib.sha256).digest()).decode()
    assert headers["X-MLflow-Signature"] == f"v1,{expected}"
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempt_count, delivery.response_status) == ("delivered", 1, 200)
    assert str(delivery.pk) == headers["webhook-id"]


def test_every_event_of_mlflow_is_sent_with_what_it_promises(
    make_webhook, receiver, make_model, make_version, scientist, actor, run_jobs
):
    from workspace.webhooks.catalogue import FIELDS, MLFLOW_EVENTS

    make_webhook(*MLFLOW_EVENTS)
    by = actor(scientist)
    for name, tags in (("delays", {}), ("ask", {"mlflow.prompt.is_prompt": "true"})):
        model = make_model(name, tags=tags)
        version = make_version(model)
        for target in (model, version):
            registry.set_tag(actor=by, target=target, key="k", value="v")
            registry.delete_tag(actor=by, target=target, key="k")
        registry.set_alias(actor=by, model=model, alias="best", version=version)
        registry.delete_alias(actor=by, model=model, alias="best")
    run_jobs()
    told = {f"{each['entity']}.{each['action']}": each["data"] for each in sent(receiver)}
    assert set(told) == set(MLFLOW_EVENTS)
    for event, data in told.items():
        assert tuple(data) == FIELDS[event]
    assert told["model_version_tag.set"] == {"name": "delays", "version": "1", "key": "k", "value": "v"}
    assert told["model_version_alias.created"] == {"name": "delays", "alias": "best", "version": "1"}
    assert len(sent(receiver)) == len(MLFLOW_EVENTS)


def test_what_is_rolled_back_is_never_sent(make_webhook, make_model, make_row, scientist, actor):
    make_webhook("registry.model_deleted", "registered_model.created")
    model = make_model("delays")
    make_row(model)
    registry.set_alias(actor=actor(scientist), model=model, alias="best", version=model.versions.get())
    Delivery.objects.all().delete()
    with pytest.raises(Conflict):
        registry.rename_model(actor=actor(scientist), model=make_model("other"), new_name="delays")
    assert [each.event for each in Delivery.objects.all()] == ["registered_model.created"]


def test_where_nobody_listens_a_change_costs_one_probe(make_model, scientist, actor):
    model = make_model("delays")
    registry.set_tag(actor=actor(scientist), target=model, key="a", value="b")
    with CaptureQueriesContext(connection, ) as queries:  # fmt: skip
        registry.set_tag(actor=actor(scientist), target=model, key="a", value="c")
    assert len([each for each in queries if "workspace_webhooks" in each["sql"]]) == 1


def test_a_refused_delivery_is_tried_again_under_the_same_id_and_then_given_up(
    make_webhook, receiver, make_model
):
    make_webhook("registered_model.created")
    receiver.answers = [(500, {}, "busy")] * 20
    make_model("delays")
    before = timezone.now()
    send_due()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.response_body) == ("pending", "busy")
    assert delivery.next_attempt_at >= before + timedelta(seconds=5)
    send_due()
    assert len(receiver.got) == 1, "it was sent again before its time"
    for _ in range(20):
        due()
        send_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.failure) == ("dead", "The receiver answered 500.")
    assert len(receiver.got) == delivery.attempt_count == len(delivering.PAUSES) + 1
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1
    assert [each["status"] for each in delivery.attempts] == [500] * 8


def test_what_was_given_up_is_replayed_under_the_same_id(
    make_webhook, receiver, make_model, admin, actor, run_jobs
):
    make_webhook("registered_model.created")
    receiver.answers = [(400, {}, "no")] * 8
    make_model("delays")
    for _ in range(9):
        due()
        send_due()
    delivery = Delivery.objects.get()
    assert delivery.status == "dead"
    services.replay_delivery(actor=actor(admin), delivery=delivery)
    with pytest.raises(Conflict, match="still being tried"):
        services.replay_delivery(actor=actor(admin), delivery=delivery)
    run_jobs()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count, delivery.failure) == ("delivered", 9, "")
    assert receiver.got[-1][1]["webhook-id"] == str(delivery.pk)


def test_gone_disables_the_webhook_and_what_waits_for_it(make_webhook, receiver, make_model):
    webhook, _ = make_webhook("registered_model.created")
    receiver.answers = [(500, {}, ""), (410, {}, "")]
    for name in ("a", "b", "c"):
        make_model(name)
    send_due()
    webhook.refresh_from_db()
    assert (webhook.status, webhook.disabled_reason) == ("DISABLED", "The receiver answered 410 Gone.")
    assert len(receiver.got) == 2
    assert {each.status for each in Delivery.objects.all()} == {"dead"}
    make_model("d")
    assert Delivery.objects.count() == 3


def test_a_silent_receiver_is_left_alone_and_delays_nobody_else(make_webhook, receiver, make_model):
    from controlplane.stack.places import free_port

    silent, _ = make_webhook(
        "registered_model.created", name="silent", url=f"http://127.0.0.1:{free_port()}/"
    )
    make_webhook("registered_model.created", name="well")
    for name in "abcde":
        make_model(name)
    send_due()
    assert len(receiver.got) == 5
    silent.refresh_from_db()
    assert silent.failures == 1, "a silent receiver was asked more than once"
    assert silent.held_until > timezone.now()
    tried = silent.deliveries.filter(attempt_count__gt=0)
    assert [each.failure for each in tried] == [
        "The receiver could not be called: nothing listens there (connection refused)."
    ]
    assert silent.deliveries.pending().count() == 5


def test_redirects_are_not_followed(make_webhook, receiver, make_model):
    make_webhook("registered_model.created")
    receiver.answers = [(302, {"Location": receiver.url}, "")]
    make_model("delays")
    send_due()
    assert len(receiver.got) == 1
    assert Delivery.objects.get().failure == "The receiver answered 302."


def test_a_host_that_nobody_named_any_more_is_not_called(make_webhook, receiver, make_model, settings):
    make_webhook("registered_model.created")
    settings.WEBHOOK_ALLOWED_HOSTS = []
    make_model("delays")
    send_due()
    assert receiver.got == []
    assert "private address" in Delivery.objects.get().failure


def test_a_worker_that_dies_on_the_way_loses_nothing(make_webhook, receiver, make_model):
    make_webhook("registered_model.created")
    make_model("delays")
    job = Job.objects.get(kind="workspace.deliver_webhook")
    assert Lease.take(job.pk) is not None  # and the worker is gone
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - timedelta(seconds=1))
    reap()
    run_job(job.pk)
    run_job(job.pk)  # the message came twice
    assert len(receiver.got) == 1
    assert Delivery.objects.get().status == "delivered"


def test_two_senders_of_one_delivery_count_as_one(make_webhook, receiver, make_model):
    make_webhook("registered_model.created")
    make_model("delays")
    first, second = Delivery.objects.get(), Delivery.objects.get()
    delivering.attempt(actor=Actor.system(), delivery=first)
    delivering.attempt(actor=Actor.system(), delivery=second)
    assert [headers["webhook-id"] for _, headers, _ in receiver.got] == [str(first.pk)] * 2
    assert Delivery.objects.get().attempt_count == 1


def test_a_delivery_without_a_job_is_found(make_webhook, receiver, make_model, settings, run_jobs):
    make_webhook("registered_model.created")
    make_model("delays")
    settings.ENVELOPE_KEY = "another key than the one it was sealed with"
    send_due()
    job = Job.objects.get(kind="workspace.deliver_webhook")
    assert job.status == "failed"
    assert "ENVELOPE_KEYS_FORMER" in job.failure
    settings.ENVELOPE_KEYS_FORMER = ["this too is only for tests"]
    Delivery.objects.update(created_at=Now() - timedelta(minutes=3))
    tasks.find_forgotten(None)
    send_due()
    assert Delivery.objects.get().status == "delivered"


def test_both_secrets_sign_while_one_replaces_the_other(
    make_webhook, receiver, make_model, admin, actor, run_jobs
):
    webhook, former = make_webhook("registered_model.created")
    _, secret = services.rotate_secret(actor=actor(admin), webhook=webhook)
    make_model("delays")
    run_jobs()
    _, headers, body = receiver.got[0]
    for each in (former, secret):
        assert Verifier(each).verify(body, headers)
    Webhook.objects.update(former_until=Now() - timedelta(seconds=1))
    make_model("other")
    run_jobs()
    _, headers, body = receiver.got[1]
    assert len(headers["webhook-signature"].split()) == 1


def test_a_webhook_of_one_model_hears_of_no_other(
    make_webhook, receiver, make_model, scientist, actor, run_jobs
):
    mine, other = make_model("mine"), make_model("other")
    make_webhook("registry.model_renamed", model=mine)
    for model in (mine, other):
        registry.rename_model(actor=actor(scientist), model=model, new_name=f"new-{model.name}")
    run_jobs()
    [told] = sent(receiver)
    assert told["type"] == "registry.model_renamed"
    assert told["data"]["after"] == {"name": "new-mine"}
    assert told["data"]["actor"] == "scientist"


def test_a_webhook_ends_with_the_right_of_who_made_it(
    receiver, make_model, make_account, scientist, actor, run_jobs
):
    from registry.access.services import grant, revoke

    model, colleague = make_model("delays"), make_account("colleague", "data-scientist")
    given = {"model": model, "right": "administer", "account": colleague, "reason": "They run it."}
    grant(actor=actor(scientist), **given)
    webhook, _ = services.create_webhook(
        actor=actor(colleague),
        name="theirs",
        url=receiver.url,
        events=["registry.model_renamed"],
        model=model,
    )
    registry.rename_model(actor=actor(scientist), model=model, new_name="one")
    run_jobs()
    revoke(actor=actor(scientist), **given)
    registry.rename_model(actor=actor(scientist), model=model, new_name="two")
    run_jobs()
    assert [told["data"]["after"]["name"] for told in sent(receiver)] == ["one"]
    webhook.refresh_from_db()
    assert (webhook.status, webhook.disabled_reason) == ("DISABLED", delivering.ORPHANED)
