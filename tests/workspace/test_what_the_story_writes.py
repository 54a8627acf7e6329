"""What the demo's people write is what was found, and says by which days it was counted."""

from datetime import date

from controlplane.demo.cause import Findings
from controlplane.demo.incident import post_mortem

PAIR = (0.61, 0.67)


def test_the_post_mortem_says_whose_days_its_flights_are_counted_by():
    found = Findings(
        rows=27587, whole=PAIR, wet=PAIR, dry=PAIR, familiar=PAIR, familiar_rows=900, worst=date(2013, 4, 10),
        worst_auc=PAIR, worst_late=0.5, worst_predicted=0.2,
    )  # fmt: skip
    written = post_mortem(found, [-0.07, -0.06, 0.01])
    # A data set's month is of New York: its count differs by the flights of one evening.
    assert "27,587 flights of 1 to 30 April, days in UTC" in written["summary"]
    assert "2 of 3 weeks" in written["impact"]
