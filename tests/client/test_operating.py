"""What runs and how it fares, from the command line; and the ledger taken out."""

import hashlib
import json

import pytest

from audit.models import Export
from deployments.models import Deployment
from tests.audit.conftest import connect, ledger_key, sealer  # noqa: F401 - fixtures
from tests.mlflow_api.processes import working
from tests.monitoring.conftest import (  # noqa: F401 - fixtures
    bring_live,
    deploy,
    make_model,
    make_version,
    production,
    request_log,
    staging,
    system,
    tracking,
    trained_version,
    training_data,
    work,
)
from tests.monitoring.test_from_log_to_incident import story  # noqa: F401 - fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_account(live_server, cplane, actor):
    """``as_account(account)``: the command line signed in at a server in this process."""
    from accounts.services import issue_token

    def of(account):
        secret = issue_token(actor=actor(account), account=account, name="t", scopes=["all"])[1]
        done = cplane("login", live_server.url, "--token-stdin", stdin=secret)
        assert done.code == 0, done.err
        return cplane

    return of


def test_an_operator_sees_drift_and_rolls_back(story, as_account, operator, stranger):
    cplane = as_account(operator)
    first = cplane("drift", "delays", "-q").out.splitlines()[0]
    assert first == "temp"
    rows = cplane("drift", "delays", "-o", "json").data
    assert {each["starts_on"] for each in rows} == {"2013-04-15"}
    assert "alert" in cplane("drift", "delays").out
    protected = cplane("deploy", "delays", "1", "--environment", "production")
    assert protected.code == 5, protected.err
    assert cplane("rollback", "delays", "--to", "7", "--reason", "No such.").code == 2
    back = cplane(
        "rollback", "delays", "--to", "v1", "--reason", "Worse than before.", "--wait", "-o", "json"
    )
    assert (back.code, back.data["status"], back.data["version"]) == (0, "live", 1), back.err
    assert Deployment.objects.get(pk=back.data["id"]).endpoint.live_id == story.first.pk
    nobody = as_account(stranger)
    assert nobody("drift", "delays").code == 1
    assert nobody("rollback", "delays", "--to", "2", "--reason", "Mischief.").code == 1


def test_an_auditor_takes_the_ledger_out(as_account, auditor, scientist, sealer, tmp_path, settings):
    settings.DATA_DIR = tmp_path / "data"
    sealer.seal()
    target = tmp_path / "events.jsonl"
    cplane = as_account(auditor)
    with working():
        done = cplane("audit", "export", target, "--format", "jsonl", "-q")
    export = Export.objects.get()
    assert (done.code, done.out) == (0, f"{export.digest}\n"), done.err
    assert hashlib.sha256(target.read_bytes()).hexdigest() == export.digest
    assert json.loads(target.read_text().splitlines()[0])
    intact = cplane("audit", "verify", target, "-o", "json")
    assert (intact.code, intact.data["findings"]) == (0, []), intact
    assert intact.data["events"] == export.events
    assert cplane("audit", "verify", target).out.startswith("Intact")
    forged = tmp_path / "forged.jsonl"
    forged.write_text(target.read_text().replace("accounts.", "approvals.", 1))
    found = cplane("audit", "verify", forged)
    assert found.code == 1 and "ampered" in found.out, found
    forged.write_text("no export")
    unreadable = cplane("audit", "verify", forged)
    assert (unreadable.code, unreadable.out) == (2, ""), unreadable
    assert "cannot be read as an export" in unreadable.err
    refused = as_account(scientist)("audit", "export", tmp_path / "mine.jsonl")
    assert refused.code == 5  # as the table of exit codes says: not allowed
    assert "You may not export the audit trail; it needs the rights to audit and to export" in refused.err
    assert not (tmp_path / "mine.jsonl").exists()
