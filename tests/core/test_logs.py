"""Every line of the logs is one JSON object that names its request and its job."""

import io
import json
import logging
import subprocess
import sys

import pytest
from django.db import transaction

from controlplane.stack.processes import ROOT
from core.actors import Actor
from core.jobs.queue import enqueue
from core.jobs.registry import job, kinds
from core.jobs.run import run_job
from core.logs import formatter


@pytest.fixture
def lines():
    """``lines()``: what has been logged since, as it stands in a log file."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter())
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


@pytest.mark.django_db
def test_a_refused_request_is_logged_with_its_id(client, lines):
    client.get("/no/such/page", headers={"X-Request-ID": "asked-by-somebody"})
    (line,) = [each for each in lines() if each["logger"] == "django.request"]
    assert line["request_id"] == "asked-by-somebody"


@pytest.mark.django_db(transaction=True)
def test_what_a_job_logs_names_the_job_and_the_request_that_wanted_it(lines):
    @job("test.talks", max_attempts=1)
    def talk(lease):
        logging.getLogger("talker").warning("half way")
        raise ValueError("odd")

    actor = Actor.anonymous(request_id="asked-by-somebody")
    try:
        with transaction.atomic():
            row = enqueue("test.talks", actor=actor)
        run_job(row.pk)
    finally:
        kinds.pop("test.talks")
    said = {each["event"]: each for each in lines() if "job_id" in each}
    assert set(said) == {"half way", "job raised ValueError", "job failed"}
    about = {"job_id": str(row.pk), "kind": "test.talks", "attempt": 1, "request_id": "asked-by-somebody"}
    assert all(about.items() <= each.items() for each in said.values())
    assert "Traceback" in said["job raised ValueError"]["exception"]


ENDING = """
import threading, warnings
from core.logs import log_what_nobody_catches, to_standard_error
to_standard_error()
log_what_nobody_catches()
warnings.warn("careful")
thread = threading.Thread(target=lambda: {}["missing"], name="reader")
thread.start()
thread.join()
raise ValueError("odd")
"""


def test_what_nobody_catches_is_one_line_each():
    done = subprocess.run(
        [sys.executable, "-c", ENDING], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    warned, thread, ended = (json.loads(line) for line in done.stderr.splitlines())
    assert "careful" in warned["event"]
    assert thread["event"] == "thread reader ended by KeyError"
    assert ended["event"] == "ended by ValueError" and "Traceback" in ended["exception"]


def test_what_a_library_attaches_to_a_record_is_not_shown(lines):
    logging.getLogger("library").warning("sent", extra={"arguments": "cp_secret", "request_id": "forged"})
    (line,) = lines()
    assert line["event"] == "sent" and "cp_secret" not in json.dumps(line) and "request_id" not in line
