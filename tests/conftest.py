"""Fixtures everyone uses: real servers, a fixed cast, and a way to drain the queue."""

import os

import pytest
from django.db import connections
from django.test import Client, TransactionTestCase
from hypothesis import settings

from tests.database import TestDatabase

# In continuous integration the same examples every time; at a desk new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

PASSWORD = "correct horse battery staple"


# Django would truncate every table after each test that commits; ``restore`` deletes what is there.
TransactionTestCase._fixture_teardown = lambda self: None


def pytest_collection_modifyitems(items):
    """Whole stacks first: they wait much and compute little, so that other files run beside them."""
    items.sort(key=lambda item: item.get_closest_marker("stack") is None)


@pytest.fixture(scope="session")
def test_database(django_test_environment, django_db_blocker):
    """The migrated database of this worker."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    database = TestDatabase(f"test_{worker}")
    with django_db_blocker.unblock():
        database.create()
        connections["default"].close()
        connections["default"].settings_dict["NAME"] = database.name
    yield database
    with django_db_blocker.unblock():
        database.drop()


@pytest.fixture(scope="session")
def django_db_setup(test_database):
    """Replaces pytest-django's: tests work as cp_app on what cp_owner migrated."""


@pytest.fixture(autouse=True)
def _reference_rows(request):
    """A test that commits starts with an empty ledger and the migrations' rows; so does the next one."""
    marker = request.node.get_closest_marker("django_db")
    names = set(request.fixturenames)
    commits = bool(marker and marker.kwargs.get("transaction")) or {"transactional_db", "live_server"} & names
    if not (commits or marker or "db" in names):
        return
    database = request.getfixturevalue("test_database")
    if database.is_left:
        database.restore()
    database.is_left = bool(commits)


@pytest.fixture(autouse=True)
def _own_artifact_folder(request, settings, tmp_path):
    """A folder, or with TEST_STORE=s3 the real S3: every test then keeps its bytes there."""
    settings.ARTIFACT_ROOT = str(tmp_path / "artifacts")
    if os.environ.get("TEST_STORE") == "s3":
        request.getfixturevalue("s3_store")
    # Two seconds of a sandbox for each version: only tests about scans have them.
    settings.SCANNERS = []
    # Hashing passwords slowly on purpose is tested once, not in every fixture.
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.Argon2PasswordHasher",
    ]


@pytest.fixture(scope="session")
def processes(test_database, tmp_path_factory):
    """Edge, web and the tracking server, as the stack runs them; started with the first test that asks."""
    from tests.mlflow_api.processes import Processes

    started = Processes(test_database.name, tmp_path_factory.mktemp("processes"))
    yield started.start()
    started.stop()


@pytest.fixture
def installation(processes, settings, transactional_db):
    """The running processes; what this process does itself uses the same files."""
    settings.ARTIFACT_ROOT = str(processes.artifacts)
    settings.TRACKING_SOCKET = str(processes.socket("tracking"))
    settings.TRACKING_SECRET = processes.secret
    settings.TRACKING_ARTIFACTS = str(processes.artifacts / "mlflow")
    from tests.mlflow_api.processes import working

    with working():
        yield processes


@pytest.fixture(scope="session")
def seaweedfs():
    """A real S3, started with the first test that asks."""
    from tests.seaweed import SeaweedFS

    server = SeaweedFS()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def s3_store(seaweedfs, settings, tmp_path):
    """The installation keeps its bytes in S3, below a prefix of this test's own."""
    settings.ARTIFACT_ROOT = f"s3://{seaweedfs.bucket}/{tmp_path.name}"
    settings.S3_ENDPOINT_URL, settings.S3_REGION = seaweedfs.url, "us-east-1"
    settings.S3_ACCESS_KEY_ID, settings.S3_SECRET_ACCESS_KEY = seaweedfs.access_key, seaweedfs.secret_key
    settings.S3_ADDRESSING = "path"
    return seaweedfs


@pytest.fixture
def make_account(db):
    """``make_account("name", "role")`` with the password of all test accounts."""
    from accounts.services import create_account
    from core.actors import Actor

    def make(username, role=None, **more):
        return create_account(
            actor=Actor.command_line(), username=username, role=role, password=PASSWORD, **more
        )

    return make


@pytest.fixture
def scientist(make_account):
    return make_account("scientist", "data-scientist")


@pytest.fixture
def reviewer(make_account):
    return make_account("reviewer", "reviewer")


@pytest.fixture
def validator(make_account):
    return make_account("validator", "validator")


@pytest.fixture
def operator(make_account):
    return make_account("operator", "operator")


@pytest.fixture
def auditor(make_account):
    return make_account("auditor", "auditor")


@pytest.fixture
def admin(make_account):
    return make_account("admin", "admin")


@pytest.fixture
def stranger(make_account):
    """Somebody with an account and nothing else."""
    return make_account("stranger")


@pytest.fixture
def actor():
    """``actor(account)``: that account in a browser session."""
    from accounts.actors import actor_for

    return actor_for


@pytest.fixture
def client_for():
    """``client_for(account)``: a browser signed in as that account."""

    def signed_in(account):
        client = Client()
        client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


@pytest.fixture
def token_client():
    """``token_client(account, ["view"])``: a machine with that account's token."""
    from accounts.actors import actor_for
    from accounts.services import issue_token

    def with_token(account, scopes=("all",)):
        _, secret = issue_token(actor=actor_for(account), account=account, name="test", scopes=list(scopes))
        return Client(headers={"Authorization": f"Bearer {secret}"})

    return with_token


@pytest.fixture
def run_jobs():
    """``run_jobs()``: do all waiting work in this process; answers how many jobs ran."""
    from core.jobs.models import Job
    from core.jobs.run import run_job

    def drain(limit=200):
        ran = 0
        while ran < limit:
            job = Job.objects.filter(status="queued").order_by("created_at").first()
            if job is None:
                return ran
            Job.objects.filter(pk=job.pk, run_after__gt=job.created_at).update(run_after=job.created_at)
            run_job(job.pk)
            ran += 1
        raise AssertionError(f"still work to do after {limit} jobs")

    return drain
