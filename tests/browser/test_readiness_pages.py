"""What was measured, what leaks and who could sign, in a real browser."""

import pytest

from approvals import services
from registry.evaluations.models import Evaluation
from registry.models import VersionDataset
from tests.approvals.conftest import (  # noqa: F401 - fixtures
    answer,
    heldout,
    make_model,
    make_version,
    model_files,
    production,
    tracking,
    version,
)
from tests.approvals.conftest import measured as figures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def leaking(version, make_version, production, scientist, reviewer, actor, answer):
    """A request for a version that names one data set version in both roles, and that nobody can validate."""
    run = {"metrics": {"roc_auc": 0.9}, "tags": {"controlplane.holdout": '{"kind": "time_ordered"}'}}
    later, rows = make_version(version.model, **run), version.datasets.get(role="holdout").dataset_version
    for each, roles in ((later, ("holdout",)), (make_version(version.model, **run), ("training", "holdout"))):
        for role in roles:
            VersionDataset.objects.create(version=each, dataset_version=rows, role=role)
    for each, auc in ((version, 0.98), (later, 0.5)):
        Evaluation.objects.create(
            candidate=each, dataset_version=rows, candidate_digest=each.digest, dataset_digest=rows.digest,
            status="succeeded", result_sha256="b" * 64, comparison=figures(auc).comparison, rows=40,
        )  # fmt: skip
    asked = services.request_promotion(
        actor=actor(scientist),
        version=version.model.versions.get(number=3),
        environment=production,
        why="It is very good.",
    )
    return answer(asked, figures(0.99))


def test_pages_that_tell_what_was_measured_are_sound(visit, leaking):
    name = leaking.version.model.name
    model = f"/models/{name}/"
    pages = (
        "/models/", model, f"{model}versions/2/", f"{model}versions/3/", f"{model}compare/?a=1&b=2",
        f"{model}versions/2/promote/", "/approvals/", leaking.address,
    )  # fmt: skip
    for width, look in ((1440, "light"), (390, "dark")):
        visitor = visit(look, width).sign_in("scientist")
        for path in pages:
            visitor.open(path)
            visitor.check()
