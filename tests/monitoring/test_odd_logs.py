"""What a log may hold that nobody meant: it is kept apart or counted, and holds up nothing."""

import pytest

from deployments.models import LogSegment
from deployments.serving.journal import CLOSED, MAGIC, framed
from deployments.serving.records import Header, encode, new_prediction_id
from monitoring.models import DataIssue
from tests.monitoring.conftest import FIRST, rows_of, scored

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def live(make_model, trained_version, bring_live, production):
    return bring_live(trained_version(make_model("delays")), production)


def test_a_file_that_cannot_be_sealed_is_set_aside_and_the_others_are_sealed(live, request_log):
    year_zero = -62_167_219_200 * 1_000_000
    header = Header(
        id=new_prediction_id(), served=1_700_000_000_000_000, events=[year_zero], rows=1, slot="stable",
        endpoint=str(live.endpoint_id), deployment=str(live.pk), version=1, status=200, ms=1.0, issues=[],
    )  # fmt: skip
    odd = request_log.folder / f"gateway-odd{CLOSED}"
    odd.write_bytes(MAGIC + framed(encode(header, b'{"hour": [5]}', b"[0.5]")))
    rows = rows_of(50)
    request_log.add(live, rows, scored(rows, 1, 0.5)[1], FIRST)
    assert request_log.seal() == 50
    assert sum(LogSegment.objects.values_list("rows", flat=True)) == 50
    assert [path.name for path in request_log.folder.iterdir()] == ["gateway-odd.unsealable"]


def test_refusals_of_one_column_for_several_reasons_are_one_issue(live, request_log, run_jobs):
    rows = rows_of(60)
    request_log.add(live, rows, scored(rows, 1, 0.5)[1], FIRST)
    for code in ("wrong_type", "missing"):
        issues = [{"column": "hour", "code": code}]
        request_log.add(live, rows[:8], [None] * 8, FIRST, status=400, issues=issues)
    request_log.seal()
    run_jobs()
    issue = DataIssue.objects.get(kind="refused")
    assert (issue.feature, issue.affected) == ("hour", 16)
    assert issue.details["codes"] == {"wrong_type": 8, "missing": 8}
