"""The audit trail as an auditor sees it, empty and full."""

import pytest

from audit import exports
from audit.models import Event
from audit.selecting import Selection
from core.actors import Actor
from tests.audit.conftest import connect, happen, ledger_key, sealer  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_pages_of_the_audit_trail_are_sound(
    visit,
    auditor,
    happen,
    sealer,
    run_jobs,
    settings,
    tmp_path,
):
    settings.DATA_DIR = tmp_path / "data"
    visitor = visit().sign_in("auditor")
    visitor.open("/audit/exports/")
    visitor.check_looks()
    happen(3, reason="The floor was raised after the April incident.")
    sealer.seal()
    exports.request_export(
        actor=Actor.command_line(), format="bundle", selection=Selection(), title="Year end"
    )
    run_jobs()
    key = Event.objects.acting("tests.happened").first().key
    for path in ("/audit/", "/audit/?actor=nobody&outcome=denied", f"/audit/{key}/", "/audit/exports/"):
        visitor.open(path)
        visitor.check_looks()
