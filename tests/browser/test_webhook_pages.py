"""The pages of webhooks, with deliveries that arrived, wait and were given up."""

import pytest

from tests.registry.conftest import make_model  # noqa: F401 - fixture
from tests.webhooks.conftest import make_webhook, receiver  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def webhooks(make_webhook, receiver):
    """One that arrives, one that is refused, one that nobody hears."""
    from django.db import transaction

    from core.jobs.models import Job
    from core.jobs.run import run_job
    from workspace.webhooks.models import Delivery, Webhook
    from workspace.webhooks.outbox import DELIVER, body_of, post

    made, _ = make_webhook("registered_model.created", "approvals.requested", name="release-board")
    make_webhook("deployments.went_live", name="chat", url="https://chat.example.org/in/4")
    gone, _ = make_webhook("monitoring.incident_opened", name="pager")
    Webhook.objects.filter(pk=gone.pk).update(
        status="DISABLED", disabled_reason="The receiver answered 410 Gone."
    )
    receiver.answers = [(200, {}, "thanks"), (500, {}, "The board is being moved.")]
    with transaction.atomic():
        for name in ("flight-delay", "churn"):
            post(made.pk, "registered_model.created", body_of("registered_model.created", {"name": name, "tags": {}, "description": None}))  # fmt: skip
    for job in Job.objects.filter(kind=DELIVER).order_by("created_at"):
        run_job(job.pk)
    Delivery.objects.filter(response_status=500).update(status="dead", failure="The receiver answered 500.")
    return made


def test_the_pages_of_webhooks_are_sound(visit, admin, webhooks):
    visitor = visit().sign_in("admin")
    visitor.open("/admin/webhooks/")
    visitor.check_looks()
    page = visitor.open(f"/admin/webhooks/{webhooks.pk}/")
    visitor.check_looks()
    visitor.check_dialogs()
    page.click("tbody a >> nth=0")
    page.wait_for_selector("text=What was sent")
    visitor.check_looks()


def test_a_models_administrator_finds_its_webhooks(visit, scientist, admin, actor, make_model, make_webhook):
    make_webhook("registry.version_ready", name="release-board", model=make_model("flight-delay"))
    visitor = visit().sign_in("scientist")
    page = visitor.open("/models/flight-delay/")
    visitor.check_looks()
    page.click("text=Webhooks of this model")
    page.wait_for_selector("text=of flight-delay alone")
    visitor.check_looks()
