"""The cost page tells nothing metered from a cost of zero."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.jobs.registry import schedules
from monitoring.costs.models import CostEntry, PriceRule
from monitoring.models import HealthWindow

pytestmark = pytest.mark.django_db


@pytest.fixture
def figures(operator, client_for):
    """``figures()``: the four figures on top of the page."""

    def read() -> list[str]:
        page = client_for(operator).get("/costs/").content.decode()
        return re.findall(r'<p class="v">(.*?)</p>', page)

    return read


def test_before_anything_is_metered_no_figure_is_zero(watched, figures):
    assert figures() == ["unknown yet"] * 4


def test_priced_use_is_shown_with_the_predictions_it_was_for(watched, figures):
    now = datetime.now(UTC)
    HealthWindow.objects.create(
        watch=watched.watch, version=watched.version, role="served", granularity="hour", starts_at=now,
        requests=1000, rows=94241,
    )  # fmt: skip
    rule = PriceRule.objects.filter(resource="cpu").first()
    CostEntry.objects.create(
        day=now.date(), model=watched.endpoint.model, version=watched.version, activity="serving",
        resource="cpu", quantity=1, price_usd=rule.price_usd, amount_usd=Decimal("0.0019"), rule=rule,
    )  # fmt: skip
    total, a_day, per_1000, predictions = figures()
    assert (total, a_day, predictions) == ("$0.0019", "$0.0019", "94,241")
    assert per_1000.startswith("$0.0000")


def test_use_is_priced_soon_after_it_was_metered():
    assert schedules["monitoring_costs.price_days"].every.total_seconds() <= 60
