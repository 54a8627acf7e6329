"""A request whose evidence is there, without the minutes a real evaluation takes."""

import pytest

from approvals import services
from core.actors import Actor
from deployments.models import Environment
from pipelines.models import ContractCheck, DataContract
from registry.evaluations import services as evaluations
from registry.evaluations.models import Evaluation
from registry.models import VersionDataset
from tests.conftest import PASSWORD
from tests.deployments.conftest import model_files  # noqa: F401 - fixture
from tests.evaluations.conftest import heldout  # noqa: F401 - fixture
from tests.registry.conftest import make_model, make_version, tracking  # noqa: F401 - fixtures


def interval(estimate, low, high):
    return {"estimate": estimate, "low": low, "high": high, "reason": "", "is_conclusive": low is not None}


def measured(auc=0.72, difference=None):
    """What a worker writes down: the figures of a candidate, alone or against a champion."""
    by = {"candidate": interval(auc, auc - 0.01, auc + 0.01)}
    if difference is not None:
        by |= {
            "champion": interval(auc - difference, None, None),
            "difference": interval(difference, difference - 0.01, difference + 0.01),
        }
    return evaluations.Outcome(
        comparison={"metrics": {"roc_auc": by}, "resamples": 1000, "blocked_by": "days"}, slices=[], latency={"candidate": {"p50": 2.0, "p95": 3.0, "p99": 4.0}},
        rows=1800, blocks=30, sandbox="bubblewrap", cpu_seconds_per_1000=0.2,
    )  # fmt: skip


@pytest.fixture
def production(db):
    return Environment.objects.get(name="production")


@pytest.fixture
def version(make_model, make_version, heldout):
    made, rows, others = make_version(make_model()), heldout(days=8, per_day=5), heldout(days=9, per_day=5)
    contract = DataContract.objects.create(dataset=rows.dataset, revision=1, document={}, digest="0" * 64)
    for data, role in ((rows, "holdout"), (others, "training")):
        ContractCheck.objects.create(version=data, contract=contract, status="passed")
        VersionDataset.objects.create(version=made, dataset_version=data, role=role)
    return made


@pytest.fixture
def answer():
    """``answer(promotion, measured())``: the evaluation ends with these figures and the gates are judged."""

    def finish(promotion, outcome=None):
        evaluation = Evaluation.objects.get(pk=promotion.evaluation_id)
        system = Actor.system()
        evaluations.begin(actor=system, evaluation=evaluation, fence=evaluation.fence + 1)
        evaluations.finish(
            actor=system, evaluation=evaluation, fence=evaluation.fence + 1, outcome=outcome or measured()
        )
        return services.judge_gates(actor=system, promotion=promotion)

    return finish


@pytest.fixture
def promotion(scientist, version, production, actor, answer):
    """Asked for by the scientist, evaluated, gates passed: waits for two signatures."""
    asked = services.request_promotion(
        actor=actor(scientist), version=version, environment=production, why="It knows the weather."
    )
    return answer(asked)


@pytest.fixture
def sign(actor):
    """``sign(account, promotion)``: approve with the right password at the revision seen."""

    def approve(account, promotion, **more):
        promotion.refresh_from_db()
        given = {"reason": "The evidence holds.", "revision": promotion.rev, "password": PASSWORD, **more}
        return services.approve(actor=actor(account), promotion=promotion, **given)

    return approve
