"""Every thing REST answers alone has an ETag, and is not sent again to who has it."""

import pytest

from approvals.models import Policy
from audit.exports import request_export
from audit.models import Event
from audit.selecting import Selection
from pipelines.models import Pipeline

pytestmark = pytest.mark.django_db


def test_things_without_a_revision_have_an_etag_too(auditor, scientist, actor, token_client):
    export = request_export(actor=actor(auditor), format="jsonl", selection=Selection(), title="")
    pipeline, policy = Pipeline.objects.first(), Policy.objects.first()
    machine = token_client(auditor)
    for address in (
        "environments/production",
        "targets/local",
        f"policies/{policy.name}",
        f"pipelines/{pipeline.name}",
        f"audit/events/{Event.objects.last().fields['id']}",
        f"audit/exports/{export.pk}",
    ):
        first = machine.get(f"/api/v1/{address}")
        assert first.status_code == 200, (address, first.content)
        again = machine.get(f"/api/v1/{address}", headers={"If-None-Match": f'"other", W/{first["ETag"]}'})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"]), address


def test_an_etag_changes_with_what_is_said(auditor, actor, token_client):
    export = request_export(actor=actor(auditor), format="jsonl", selection=Selection(), title="")
    machine, address = token_client(auditor), f"/api/v1/audit/exports/{export.pk}"
    before = machine.get(address)["ETag"]
    type(export).objects.filter(pk=export.pk).update(failure="No room.")
    after = machine.get(address, headers={"If-None-Match": before})
    assert (after.status_code, after["ETag"] == before) == (200, False)
