"""A sealer on the test database, and a verifier run as a stranger would run it."""

import json
import os
import subprocess
import sys

import psycopg
import pytest
from django.db import transaction

from audit.exporting import VERIFIER
from audit.keys import load_or_create
from audit.sealer import Sealer
from audit.services import record
from audit.targets import Target
from core.actors import Actor

THING = Target("tests.thing", "1", "a thing")


@pytest.fixture
def connect(test_database):
    """``connect("cp_sealer")``: a connection of that role to the test database."""
    opened = []
    names = {
        "cp_app": "DATABASE_URL",
        "cp_owner": "DATABASE_OWNER_URL",
        "cp_sealer": "DATABASE_SEALER_URL",
        "cp_auditor": "DATABASE_AUDITOR_URL",
        "superuser": "TEST_SUPERUSER_URL",
    }

    def open_as(role):
        connection = psycopg.connect(os.environ[names[role]], dbname=test_database.name, autocommit=True)
        connection.execute("SET lock_timeout = '5s'")
        opened.append(connection)
        return connection

    yield open_as
    for connection in opened:
        connection.close()


@pytest.fixture
def ledger_key(tmp_path):
    return load_or_create(tmp_path / "keys" / "ledger_ed25519")


@pytest.fixture
def sealer(connect, ledger_key):
    return Sealer(connect("cp_sealer"), ledger_key)


@pytest.fixture
def happen():
    """``happen(3)``: that many events in the ledger, each committed on its own."""

    def write(count=1, action="tests.happened", **more):
        keys = []
        for number in range(count):
            with transaction.atomic():
                more_after = {"after": {"number": number}} | more
                keys.append(record(actor=Actor.system(), action=action, target=THING, **more_after))
        return keys

    return write


@pytest.fixture
def run_verifier():
    """``run_verifier(path, "--pinned", note)``: exit code and verdict, from a bare interpreter."""

    def run(path, *options):
        words = [sys.executable, "-I", "-S", str(VERIFIER), str(path), "--json", *map(str, options)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, env={})
        assert not done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout)

    return run
