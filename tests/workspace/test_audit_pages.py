"""The audit trail's pages: for auditors everything, for others nothing, and never a 500."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event, Export
from core.errors import NotAllowed
from core.jobs.models import Job
from pipelines.services import create_dataset
from registry import services
from registry.models import ModelVersion
from tests.audit.conftest import connect, happen, ledger_key, sealer  # noqa: F401
from tests.registry.conftest import make_model, make_row  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_keys(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"


def test_an_auditor_reads_filters_and_opens_events(happen, sealer, auditor, client_for):
    client = client_for(auditor)
    assert "Nothing has been sealed yet" in client.get("/audit/").content.decode()
    happen(60)
    sealer.seal()
    page = client.get("/audit/?action=tests.").content.decode()
    assert "chain intact" in page
    assert page.count("tests.happened") == 50
    assert 'rel="next"' in page
    assert "No event fits" in client.get("/audit/?actor=nobody").content.decode()
    key = Event.objects.acting("tests.").order_by("-id").first().key
    event = client.get(f"/audit/{key}/").content.decode()
    assert "Sealed" in event
    assert "tests.thing" in event
    assert client.get("/audit/01a00000-0000-7000-8000-000000000000/").status_code == 404


def test_the_filter_by_an_action_finds_its_refusals(
    make_model, make_row, actor, client_for, auditor, reviewer
):
    version = make_row(make_model())
    with pytest.raises(NotAllowed):
        services.delete_version(actor=actor(reviewer), version=version, reason="Mine now.")
    page = client_for(auditor).get("/audit/?action=registry.version_deleted").content.decode()
    assert "reviewer was not allowed to delete delays v1" in page
    assert "registry.delete_version" in page
    assert "No event fits" in client_for(auditor).get("/audit/?action=registry.hold_placed").content.decode()


@pytest.mark.parametrize("path", ["", "exports/", "01a00000-0000-7000-8000-000000000000/"])
def test_others_find_nothing(path, scientist, reviewer, stranger, client_for, client):
    for account in (scientist, reviewer, stranger):
        assert client_for(account).get(f"/audit/{path}").status_code == 404
    assert client.get(f"/audit/{path}").status_code == 302


@pytest.mark.parametrize("query", ["outcome=good", "from=yesterday", "object_id=1", "action=%00", "before=x"])
def test_bad_filters_are_answered_with_a_sentence(query, auditor, client_for):
    assert client_for(auditor).get(f"/audit/?{query}").status_code == 400


def test_markup_in_names_stays_text(happen, auditor, client_for):
    happen(1, reason="<script>alert(1)</script>")
    page = client_for(auditor).get("/audit/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_page_of_many_events_costs_as_many_queries_as_one_of_few(happen, auditor, client_for):
    client = client_for(auditor)
    happen(1)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/audit/")
    happen(11)
    with CaptureQueriesContext(connection) as many:
        client.get("/audit/")
    assert len(many) == len(few)


def test_an_auditor_asks_for_an_export_and_downloads_it(happen, sealer, auditor, client_for, run_jobs):
    happen(3)
    sealer.seal()
    client = client_for(auditor)
    assert client.post("/audit/exports/", {"format": ""}).status_code == 422
    wrong = client.post("/audit/exports/", {"format": "bundle", "since": "yesterday"})
    assert wrong.status_code == 422
    assert "2013-04-26" in wrong.content.decode()
    turned = client.post(
        "/audit/exports/", {"format": "bundle", "since": "2030-01-01", "until": "2020-01-01"}
    )
    assert turned.status_code == 422 and "To must be later than from" in turned.content.decode()
    assert client.post("/audit/exports/", {"format": "bundle", "title": "Year end"}).status_code == 302
    assert "Being made" in client.get("/audit/exports/").content.decode()
    run_jobs()
    page = client.get("/audit/exports/").content.decode()
    assert "Year end" in page
    assert "Intact" in page
    answer = client.get(f"/audit/exports/{Export.objects.get().pk}/")
    assert answer["Content-Disposition"].startswith("attachment")
    assert next(iter(answer.streaming_content)).startswith(b"PK")


def test_a_failed_export_says_why_and_can_be_tried_again(auditor, client_for, run_jobs, happen, sealer):
    client = client_for(auditor)
    client.post("/audit/exports/", {"format": "bundle"})
    run_jobs()
    assert "Nothing has been sealed" in client.get("/audit/exports/").content.decode()
    happen()
    sealer.seal()
    client.post(f"/audit/exports/{Export.objects.get().pk}/retry/")
    run_jobs()
    assert Export.objects.get().status == "ready"


def test_admins_see_the_trail_too(admin, client_for):
    assert client_for(admin).get("/audit/").status_code == 200


def test_a_broken_chain_is_red_and_names_the_first_bad_event(
    happen, sealer, connect, auditor, client_for, run_jobs
):
    happen(5)
    sealer.seal()
    client = client_for(auditor)
    client.post("/audit/verify/")
    run_jobs()
    assert Job.objects.filter(kind="audit.verify").get().result["result"] == "intact"
    superuser = connect("superuser")
    with superuser.transaction():
        superuser.execute("SET LOCAL session_replication_role = replica")
        superuser.execute("UPDATE audit.event SET body = replace(body, '\"number\":3', '\"number\":9')")
    client.post("/audit/verify/")
    run_jobs()
    page = client.get("/audit/").content.decode()
    assert "does not verify" in page
    assert "First bad event: " in page
    assert Event.objects.acting("audit.verification_failed").exists()


def test_events_of_what_was_deleted_lead_to_its_record(auditor, scientist, actor, client_for):
    model = services.create_model(actor=actor(scientist), name="delays")
    kept, gone = (
        ModelVersion.objects.create(model=model, number=number, status="READY", digest="a" * 64)
        for number in (1, 2)
    )
    services.update_version(actor=actor(scientist), version=kept, description="Kept.")
    services.delete_version(actor=actor(scientist), version=gone, reason="Wrong.")
    client = client_for(auditor)

    def followed(words):
        places = re.findall(r'href="([^"]+)">delays' + words, client.get("/audit/").content.decode())
        assert places
        for place in places:
            assert client.get(place).status_code == 200, place
        return set(places)

    assert followed(" v1<") == {"/models/delays/versions/1/"}
    assert followed(" v2<") == {"/models/delays/versions/2/"}
    services.rename_model(actor=actor(scientist), model=model, new_name="late")
    assert followed("<") == {"/models/late/"}
    services.delete_model(actor=actor(scientist), model=model, reason="Never used.")
    assert followed("<") == {"/deleted-versions/?model=late"}
    assert all(place.startswith("/deleted-versions/") for place in followed(" v2<"))


def test_an_auditor_goes_from_a_model_to_what_happened_to_it(scientist, auditor, actor, client_for):
    services.create_model(actor=actor(scientist), name="delays")
    services.create_model(actor=actor(scientist), name="cancellations")
    page = client_for(auditor).get("/models/delays/").content.decode()
    address = re.search(r'href="(/audit/\?object_type=[^"]+)"', page)[1].replace("&amp;", "&")
    found = client_for(auditor).get(address).content.decode()
    assert "What happened to delays" in found
    assert "registry.model_created" in found
    assert "cancellations" not in found
    assert "/audit/?object_type" not in client_for(scientist).get("/models/delays/").content.decode()
    dataset = create_dataset(actor=actor(scientist), name="flights")
    trail = f"/audit/?object_type=pipelines.dataset&amp;object_id={dataset.pk}"
    assert trail in client_for(auditor).get("/data/flights/").content.decode()
    assert (
        "pipelines.dataset_created" in client_for(auditor).get(trail.replace("&amp;", "&")).content.decode()
    )
    assert trail not in client_for(scientist).get("/data/flights/").content.decode()
