"""People read what happened and what is being done as sentences; codes stand small beside them."""

import re

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.jobs.models import Job
from core.jobs.queue import enqueue
from core.jobs.registry import kinds
from tests.registry.conftest import make_model, make_row  # noqa: F401 - fixtures
from workspace import refusal_words
from workspace.audit_words import PHRASES, phrase_of, sentence
from workspace.job_words import FAILED, WORDS, failed, next_of

COMMAND = re.compile(r"^@command(?:\(.*\))?\ndef (\w+)\(", re.MULTILINE)
RECORDED = re.compile(r'action="([a-z_]+\.[a-z_]+)"')


def recorded_actions():
    """Every action that our code writes down under a fixed name."""
    for config in apps.get_app_configs():
        folder = settings.BASE_DIR / config.name.replace(".", "/")
        for file in folder.rglob("*.py") if folder.is_dir() else ():
            yield from RECORDED.findall(file.read_text())


def test_every_action_that_is_recorded_has_a_phrase():
    found = set(recorded_actions())
    assert len(found) > 100
    assert found - PHRASES.keys() == set()


def commands():
    """Every command of ours, by the action under which its refusal is written down."""
    for config in apps.get_app_configs():
        folder = settings.BASE_DIR / config.name.replace(".", "/")
        for file in folder.rglob("*.py") if folder.is_dir() else ():
            app = config.name.split(".")[0]
            yield from (f"{app}.{name}" for name in COMMAND.findall(file.read_text()))


def test_every_command_that_may_be_refused_has_a_phrase():
    found = set(commands())
    assert len(found) > 100
    assert {each for each in found if phrase_of(each) is None} == set()
    assert set(refusal_words.EVENT_OF.values()) - PHRASES.keys() == set()
    assert (refusal_words.EVENT_OF.keys() | refusal_words.PHRASES.keys()) - found == set()


def test_every_kind_of_job_has_words():
    assert {kind for kind in kinds if not kind.startswith("test.")} - WORDS.keys() == set()


@pytest.mark.parametrize(
    ("action", "outcome", "words"),
    [
        ("approvals.approved", "ok", "reviewer approved flight-delay v3"),
        ("approvals.approved", "denied", "reviewer was not allowed to approve flight-delay v3"),
        ("registry.verification_requested", "ok", "reviewer asked to have flight-delay v3 hashed again"),
        ("registry.version_failed", "failed", "reviewer failed to register flight-delay v3"),
        ("approvals.retried", "ok", "reviewer retried flight-delay v3"),
        ("approvals.executed", "failed", "reviewer could not carry out flight-delay v3"),
        ("registry.delete_version", "denied", "reviewer was not allowed to delete flight-delay v3"),
        (
            "registry.create_version",
            "denied",
            "reviewer was not allowed to register a version of flight-delay v3",
        ),
        ("tests.thing_happened", "ok", "reviewer: thing happened"),
    ],
)
def test_an_event_is_a_sentence(action, outcome, words):
    target = {"type": "registry.modelversion", "id": "1", "name": "flight-delay v3"}
    event = {"action": action, "outcome": outcome, "object": target, "actor": {"name": "reviewer"}}
    assert sentence(event) == words


def test_what_was_never_made_has_no_name():
    event = {"action": "registry.create_model", "outcome": "denied", "actor": {"name": "iris"}}
    assert sentence(event) == "iris was not allowed to create a model"


def test_braces_in_a_name_are_no_placeholders():
    event = {"action": "registry.model_created", "object": {"id": "1", "name": "{0}{x}"}, "outcome": "ok"}
    assert sentence(event) == "The system created the model {0}{x}"


@pytest.mark.django_db
def test_the_list_of_jobs_says_what_for_which_model_and_what_next(
    make_model, make_row, actor, scientist, client_for
):
    version = make_row(make_model("flight-delay"))
    job = enqueue("registry.verify_version", subject=version, model=version.model, actor=actor(scientist))
    client = client_for(scientist)
    page = client.get("/jobs/").content.decode()
    assert "Hash the stored files of a version again" in page
    assert '<a class="link" href="/models/flight-delay/versions/1/">flight-delay v1</a>' in page
    assert "<code>registry.verify_version</code>" in page
    assert "starts when a worker is free" in page
    assert "/models/flight-delay/versions/1/" in page
    one = client.get(f"/jobs/{job.pk}/").content.decode()
    assert "<h1>Hash the stored files of a version again</h1>" in one
    with CaptureQueriesContext(connection) as few:
        client.get("/jobs/")
    for _ in range(11):
        enqueue("registry.verify_version", subject=make_row(version.model), model=version.model)
    with CaptureQueriesContext(connection) as many:
        client.get("/jobs/")
    assert len(many) == len(few)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "queued", "attempt": 1}, "tried again, attempt 2 of 3"),
        ({"status": "running"}, "then gates that need the figures are judged"),
        ({"status": "running", "cancel_requested_at": timezone.now()}, "stops at its next step"),
        ({"status": "succeeded"}, "gates that need the figures are judged"),
        ({"status": "failed"}, "ask again once that is mended"),
        ({"status": "failed", "kind": "audit.verify"}, "nothing more is tried"),
    ],
)
def test_what_follows_is_said(fields, words):
    assert next_of(Job(**{"kind": "registry.evaluate", **fields})) == words


def test_what_failed_is_named_where_it_may_be():
    assert failed("pipelines.profile_version", "flights v3") == "flights v3 could not be read"
    assert failed("pipelines.profile_version", "") == "Read and describe a data set version: failed"
    assert failed("audit.export", "flights v3") == "Make an export of the audit trail: failed"
    assert FAILED.keys() <= WORDS.keys()
