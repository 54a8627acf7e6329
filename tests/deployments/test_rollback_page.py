"""The page of a rollback compares like with like, and says so where it cannot."""

from datetime import date

import pytest

from deployments.models import Clearance, Deployment
from registry.models import VersionDataset
from tests.monitoring.conftest import rows_of, training_data, watched  # noqa: F401 - fixtures
from tests.registry.conftest import make_row  # noqa: F401 - fixture

pytestmark = pytest.mark.django_db


@pytest.fixture
def prove(watched):
    """``prove(version)``: it was live here before, and is in the shadow of version 1."""

    def make(version) -> Deployment:
        clearance = Clearance.objects.create(
            model=version.model, version=version, environment=watched.endpoint.environment,
            digest=version.digest, kind="approval", evidence_sha256="0" * 64,
        )  # fmt: skip
        return Deployment.objects.create(
            endpoint=watched.endpoint, version=version, digest=version.digest, clearance=clearance,
            status="standby", slot="shadow", live_at=watched.endpoint.live.live_at,
        )  # fmt: skip

    return make


@pytest.fixture
def former(watched, make_row, prove):
    return prove(make_row(watched.endpoint.model, metrics={"holdout_roc_auc": 0.6847}))


@pytest.fixture
def page(operator, client_for):
    def read(target) -> str:
        answer = client_for(operator).get(f"/models/delays/rollback/?target={target.pk}")
        assert answer.status_code == 200
        return answer.content.decode()

    return read


def compare(watched, former, low, high):
    def both(served, shadow, *interval):
        names = ("estimate", "low", "high")
        difference = dict(zip(names, (served - shadow, *interval), strict=True))
        return {"served": {"estimate": served}, "shadow": {"estimate": shadow}, "difference": difference}

    watched.quality_week(
        date(2013, 10, 2), 0.6914, granularity="deployment", ends_on=date(2014, 1, 1), against=former.version,
        comparison={
            "rows": 18453, "blocks": 92, "starts_on": "2013-10-02", "ends_on": "2014-01-01", "method": "By days.",
            "metrics": {
                "roc_auc": both(0.6914, 0.6182, low, high),
                "brier": both(0.15, 0.17, -0.03, -0.01),
            },
        },
    )  # fmt: skip


def test_it_says_what_ranking_is_lost_with_its_interval_as_seen_from_the_target(watched, former, page):
    compare(watched, former, 0.051, 0.094)
    text = page(former)
    assert "v2 was worse than v1 on the same rows" in text
    assert "18,453 labelled rows that both scored, 92 days, 2 Oct 2013 to 1 Jan 2014" in text
    panel = text.split('id="live-comparison"')[1].split("</section>")[0]
    assert panel.index("0.6914") < panel.index("0.6182")
    assert "−0.0732" in panel
    assert "−0.0940 to −0.0510" in panel
    assert "+0.0100 to +0.0300" in panel
    assert panel.count("Worse") == 2


def test_it_does_not_know_the_loss_of_versions_that_never_scored_the_same_rows(former, page):
    assert "How much quality is lost is not known" in page(former)


def test_a_stranger_gets_no_comparison(watched, former, stranger, client_for):
    compare(watched, former, 0.051, 0.094)
    assert client_for(stranger).get(f"/models/delays/rollback/?target={former.pk}").status_code == 404


def test_figures_of_different_holdouts_are_not_put_side_by_side(watched, former, training_data, page):
    def judged_on(version, data):
        VersionDataset.objects.create(version=version, dataset_version=data, role="holdout")

    assert "0.7596" not in page(former)
    shared, other = training_data(rows_of(50), label="one"), training_data(rows_of(60), label="two")
    judged_on(watched.version, shared)
    assert "0.7596" not in page(former)
    judged_on(former.version, shared)
    assert "0.7596" in page(former)
    judged_on(former.version, other)
    assert "0.7596" not in page(former)


def test_inputs_that_are_read_again_are_named(watched, make_row, prove, page):
    inputs = [{"type": "double", "name": "temp", "required": False}]
    text = page(prove(make_row(watched.endpoint.model, signature={"inputs": inputs})))
    assert "1 input read again where callers send it" in text
    assert "The inputs are the same" not in text


def test_no_proof_of_a_difference_is_not_proof_of_none(watched, former, page):
    compare(watched, former, -0.01, 0.094)
    assert "No difference between v2 and v1 on the same rows" in page(former)


def test_with_nothing_live_the_page_compares_nothing(watched, former, page):
    live = watched.endpoint.live
    watched.endpoint.live = None
    watched.endpoint.save(update_fields=["live"])
    Deployment.objects.filter(pk=live.pk).update(status="retired", slot="")
    Deployment.objects.filter(pk=former.pk).update(status="retired", slot="")
    text = page(former)
    assert "Callers change nothing" not in text
    assert "Nothing is live" in text
    assert "until then v answers" not in text
    assert "How much quality" not in text
