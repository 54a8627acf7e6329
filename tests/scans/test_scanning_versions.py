"""A version is scanned once it is ready, in a sandbox, and what failed is not clean."""

import pickle
from datetime import timedelta
from importlib.metadata import version as version_of

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import Actor
from core.errors import Conflict, NotAllowed
from core.jobs import enqueue
from core.jobs.models import Job
from core.jobs.run import run_job
from pipelines.sandbox import Limits
from registry import services as registry
from registry.scans import services, tasks
from registry.scans.models import Scan
from tests.registry.test_registering_models import events
from tests.registry.test_unsafe_formats import safetensors
from tests.registry.tracking import FILES
from tests.scans.test_never_clean import Runs

# Committed rows: the heartbeat of a job looks from a connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)
SAFE = {
    "MLmodel": "flavors:\n  python_function:\n    loader_module: mlflow.transformers\n",
    "w.safetensors": safetensors(),
}


@pytest.fixture
def scanners(settings):
    settings.SCANNERS = ["picklescan", "modelscan"]


def test_a_ready_version_is_scanned_in_a_sandbox(
    scanners, make_model, make_version, token_client, client_for, scientist, tmp_path
):
    mark = tmp_path / "mark"
    files = {**FILES, "model.pkl": pickle.dumps(Runs(str(mark)))}
    version = make_version(make_model("delays"), files=files)
    scan = Scan.objects.get()
    assert (scan.status, scan.verdict, scan.digest) == ("finished", "dangerous", version.digest), scan.failure
    assert {each["scanner"] for each in scan.reports} == {"picklescan", "modelscan"}
    assert all(each["version"] for each in scan.reports)
    assert not mark.exists()
    assert events("registry.scanned")[0]["after"]["verdict"] == "dangerous"
    (told,) = token_client(scientist).get("/api/v1/models/delays/versions/1/scans").json()["items"]
    assert told["verdict"] == "dangerous"
    page = client_for(scientist).get("/models/delays/versions/1/").content.decode()
    assert "A scanner calls it dangerous" in page
    assert "Loading it would reach posix.system in model.pkl." in page
    assert f"picklescan {scan.reports[0]['version']}" in page


def test_a_format_that_runs_no_code_is_clean(scanners, make_model, make_version):
    make_version(make_model("delays"), files=SAFE)
    scan = Scan.objects.get()
    assert scan.verdict == "clean", (scan.files, scan.reports, scan.failure)


def test_a_scanner_that_is_stopped_leaves_nothing_clean(scanners, make_model, make_version, monkeypatch):
    monkeypatch.setattr(tasks, "LIMITS", Limits(cpu_seconds=150, wall_seconds=240, memory_bytes=90 << 20))
    make_version(make_model("delays"), files=SAFE)
    scan = Scan.objects.get()
    assert scan.verdict == "failed"
    assert scan.failure or any(report["error"] for report in scan.reports)
    assert scan.status in {"finished", "failed"}


def test_without_scanners_a_version_is_not_scanned_and_not_clean(
    make_model, make_version, client_for, scientist
):
    make_version(make_model("delays"), files=SAFE)
    assert not Scan.objects.exists()
    page = client_for(scientist).get("/models/delays/versions/1/").content.decode()
    assert "Not scanned, so not known to be clean" in page


def test_a_scan_is_asked_for_again_once_at_a_time(
    make_model, make_row, client_for, token_client, scientist, reviewer, stranger, settings, run_jobs
):
    version = make_row(make_model("delays"))
    client = client_for(scientist)
    assert client.post("/models/delays/versions/1/scan/").status_code == 302
    assert client.post("/models/delays/versions/1/scan/").status_code == 302
    assert Scan.objects.count() == 1
    answer = token_client(scientist).post("/api/v1/models/delays/versions/1/scans")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert client_for(stranger).post("/models/delays/versions/1/scan/").status_code == 404
    assert token_client(stranger).post("/api/v1/models/delays/versions/1/scans").status_code == 404
    assert token_client(stranger).get("/api/v1/models/delays/versions/1/scans").status_code == 404
    run_jobs()
    scan = Scan.objects.get()
    assert (scan.status, scan.verdict) == ("failed", "failed")
    assert "No scanner is switched on" in scan.failure
    assert services.request_scan(actor=Actor.system(), version=version) != scan


def test_who_may_not_verify_may_not_scan(make_model, make_row, make_account, actor, scientist):
    from registry.access.services import grant

    model = make_model("delays")
    version = make_row(model)
    viewer = make_account("viewer")
    grant(actor=actor(scientist), model=model, right="view", account=viewer, reason="Looks on.")
    with pytest.raises(NotAllowed):
        services.request_scan(actor=actor(viewer), version=version)
    assert not Scan.objects.exists()


def test_a_version_without_content_is_not_scanned(make_model, tracking, actor, scientist):
    version = registry.create_version(
        actor=actor(scientist), model=make_model("delays"), source=tracking.add_run("r1"), run_id="r1"
    )
    with pytest.raises(Conflict):
        services.request_scan(actor=actor(scientist), version=version)


def test_the_database_refuses_a_failed_scan_that_calls_itself_clean(make_model, make_row):
    version = make_row(make_model("delays"))
    for wrong in ({"status": "failed", "verdict": "clean"}, {"status": "finished", "verdict": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Scan.objects.create(version=version, digest="a" * 64, **wrong)


def test_a_scan_whose_job_died_has_failed(make_model, make_row, actor, scientist, run_jobs):
    version = make_row(make_model("delays"))
    scan = services.request_scan(actor=actor(scientist), version=version)
    Job.objects.about(scan).update(status="failed", failure="The worker went away.")
    with transaction.atomic():
        enqueue("registry.fail_stalled_scans")
    run_jobs()
    scan.refresh_from_db()
    assert (scan.verdict, scan.failure) == ("failed", "The worker went away.")


def night():
    with transaction.atomic():
        job = enqueue("registry.scan_unscanned")
    run_job(job.pk)
    return set(Scan.objects.unfinished().values_list("version__number", flat=True))


def test_versions_that_todays_scanners_have_not_seen_are_scanned_at_night(make_model, make_row, settings):
    """Never scanned, or by scanners of another version; nothing that was tried within the week."""
    model, week_ago = make_model("delays"), timezone.now() - timedelta(days=8)
    current = {"scanner": "picklescan", "version": version_of("picklescan"), "findings": []}
    rows = [make_row(model) for _ in range(5)]
    for row, reports, at in (
        (rows[0], [current], week_ago),
        (rows[1], [{**current, "version": "0.0.1"}], week_ago),
        (rows[2], [{**current, "version": "0.0.1"}], timezone.now()),
        (rows[3], [{**current, "version": ""}], week_ago),
    ):
        scan = Scan.objects.create(
            version=row, digest="a" * 64, status="finished", verdict="unproven", reports=reports
        )
        Scan.objects.filter(pk=scan.pk).update(created_at=at)
    assert night() == set()
    settings.SCANNERS = ["picklescan"]
    assert night() == {rows[1].number, rows[3].number, rows[4].number}


def test_the_list_of_scans_costs_the_same_for_many(make_model, make_row, token_client, scientist):
    version = make_row(make_model("delays"))
    client = token_client(scientist)
    client.get("/api/v1/models/delays/versions/1/scans")
    counts = []
    for many in (1, 12):
        for _ in range(many):
            Scan.objects.create(version=version, digest="a" * 64, status="finished", verdict="unproven")
        with CaptureQueriesContext(connection) as queries:
            client.get("/api/v1/models/delays/versions/1/scans")
        counts.append(len(queries))
    assert counts[0] == counts[1]
