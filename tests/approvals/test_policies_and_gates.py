"""Policies are read strictly; gates never pass on what is not known."""

from decimal import Decimal
from pathlib import Path

import pytest

from approvals.gates import Evidence, MetricEvidence, SliceEvidence, judge
from approvals.policy import parse
from approvals.quorum import missing
from core.errors import Invalid

SHIPPED = Path(__file__).resolve().parents[2] / "approvals" / "shipped"
MINIMAL = "schema: controlplane/policy/v1\nenvironment: production\nquorum: []\ngates: %s\n"


def gate(**fields):
    return {"id": "g", "mode": "block", **fields}


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_policies_are_valid(path):
    assert parse(path.read_text()).sha256


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("schema: other\nenvironment: production\nquorum: []\ngates: []", "schema"),
        ("schema: controlplane/policy/v1\nquorum: []\ngates: []", "document"),
        (MINIMAL % "[{id: a, type: magic, mode: block}]", "gates[0].type"),
        (MINIMAL % "[{id: a, type: metric, metric: roc_auc, mode: block}]", "gates[0]"),
        (MINIMAL % "[{id: a, type: latency, quantile: 0.42, max_ms: 5, mode: block}]", "gates[0].quantile"),
        (
            MINIMAL
            % "[{id: a, type: artifact_digest, mode: block}, {id: a, type: artifact_digest, mode: warn}]",
            "gates",
        ),
        (MINIMAL % "[{id: a, type: scan, mode: block}]", "gates[0]"),
        (MINIMAL % "[{id: a, type: scan, severity: mild, mode: block}]", "gates[0].severity"),
        (MINIMAL % "[{id: a, type: signature, keys: [], mode: block}]", "gates[0].keys"),
        (MINIMAL % "[]" + "rollout: {steps: [{weight: 50}]}", "rollout.steps"),
        (MINIMAL % "[]" + "expires_after: soon", "expires_after"),
        ("a: &x [1]\nb: *x", "document"),
        ("{", "document"),
        ("x" * 70_000, "document"),
    ],
)
def test_a_wrong_policy_is_refused_with_the_place_named(text, field):
    with pytest.raises(Invalid) as refused:
        parse(text)
    assert refused.value.field == field


ALL = [
    gate(type="metric", metric="roc_auc", min=0.6),
    gate(type="metric", metric="roc_auc", against="champion", min_difference=0.0),
    gate(type="holdout_kind", allowed=["time_ordered"]),
    gate(type="data_contract"),
    gate(type="schema_compatible"),
    gate(type="latency", quantile=0.99, max_ms=50),
    gate(type="cost_forecast", max_usd_per_1000="0.05"),
    gate(type="artifact_digest"),
    gate(type="sandbox", allowed=["bubblewrap"]),
    gate(type="scan", severity="dangerous"),
    gate(type="signature"),
]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule["type"])
def test_no_gate_passes_on_nothing(rule):
    (result,) = judge([rule], Evidence(has_champion=True))
    assert result.outcome == "failed"
    (warned,) = judge([{**rule, "mode": "warn"}], Evidence(has_champion=True))
    assert warned.outcome == "warned"


@pytest.mark.parametrize("rule", [ALL[0], ALL[1], gate(type="slice", by=["carrier"], max_drop=0.05)])
@pytest.mark.parametrize("has_champion", [True, False])
def test_figures_on_rows_that_were_trained_on_pass_nothing(rule, has_champion):
    seen = {
        "metrics": {"roc_auc": MetricEvidence(0.99, 0.9, 0.09, 0.08, 0.1)},
        "slices": [SliceEvidence("carrier", "UA", 500, 0.99, 0.9, 0.09, 0.08, 0.1)],
        "has_champion": has_champion,
    }
    assert judge([rule], Evidence(**seen))[0].outcome == "passed"
    (result,) = judge([rule], Evidence(**seen, is_seen_by_candidate=True))
    if rule["type"] == "slice" and not has_champion:
        assert result.observed == "no champion yet to compare with"
    else:
        assert (result.outcome, "judged on rows it was trained on" in result.observed) == ("failed", True)


@pytest.mark.parametrize(
    ("low", "high", "outcome"), [(0.001, 0.02, "passed"), (-0.001, 0.02, "failed"), (None, None, "failed")]
)
def test_better_than_the_champion_means_its_lower_bound(low, high, outcome):
    metric = MetricEvidence(candidate=0.7, champion=0.69, difference=0.01, low=low, high=high)
    (result,) = judge([ALL[1]], Evidence(metrics={"roc_auc": metric}, has_champion=True))
    assert result.outcome == outcome


def test_lower_is_better_for_losses():
    rule = gate(type="metric", metric="brier", against="champion", min_difference=0.0)
    better = MetricEvidence(candidate=0.1, champion=0.12, difference=-0.02, low=-0.03, high=-0.01)
    assert judge([rule], Evidence(metrics={"brier": better}, has_champion=True))[0].outcome == "passed"


def test_the_weakest_slice_with_enough_rows_decides():
    rule = gate(type="slice", metric="roc_auc", by=["carrier"], min_rows=500, max_drop=0.05)
    slices = [
        SliceEvidence("carrier", "AA", 100, 0.5, 0.7, -0.2),
        SliceEvidence("carrier", "UA", 900, 0.66, 0.7, -0.04),
        SliceEvidence("origin", "JFK", 900, 0.5, 0.7, -0.2),
    ]
    (result,) = judge([rule], Evidence(slices=slices, has_champion=True))
    assert result.outcome == "passed"
    assert "UA" in result.observed


def test_cost_is_compared_as_money():
    rule = ALL[6]
    assert judge([rule], Evidence(usd_per_1000=Decimal("0.05")))[0].outcome == "passed"
    assert judge([rule], Evidence(usd_per_1000=Decimal("0.0501")))[0].outcome == "failed"


@pytest.mark.parametrize(
    ("people", "lacking"),
    [
        ({"a": {"reviewer", "validator"}}, 1),
        ({"a": {"reviewer", "validator"}, "b": {"reviewer"}}, 0),
        ({"a": {"reviewer"}, "b": {"reviewer"}}, 1),
        ({"a": {"operator"}}, 2),
    ],
)
def test_one_person_fills_one_role(people, lacking):
    assert sum(missing({"reviewer": 1, "validator": 1}, people).values()) == lacking
