"""The ledger of a real promotion convinces the offline verifier; one without its quorum does not."""

import pytest

from approvals import services
from audit.exporting import write_bundle
from audit.keys import export_key
from audit.selecting import Selection
from audit.tree import last_checkpoint
from core.actors import Actor
from deployments.models import Clearance
from deployments.services import grant_clearance
from tests.audit.conftest import connect, ledger_key, run_verifier, sealer  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def verdict(sealer, run_verifier, settings, tmp_path):
    """``verdict()``: what the verifier says about everything that happened."""
    settings.DATA_DIR = tmp_path / "data"

    def of_everything():
        while sealer.seal():
            pass
        path = tmp_path / "bundle.zip"
        with path.open("wb") as target:
            write_bundle(target, Selection(), last_checkpoint(), export_key())
        return run_verifier(path)

    return of_everything


def test_a_promotion_with_its_quorum_is_believed(
    promotion,
    sign,
    reviewer,
    validator,
    sealer,
    run_jobs,
    verdict,
):
    sign(reviewer, promotion)
    sign(validator, promotion)
    assert not services.is_sealed(promotion)
    while sealer.seal():
        pass
    assert services.is_sealed(promotion)
    run_jobs()
    promotion.refresh_from_db()
    assert promotion.deployment is not None
    code, said = verdict()
    assert (code, said["findings"], said["clearances_judged"]) == (0, [], 1)


def test_a_clearance_that_skipped_the_quorum_is_found(promotion, sign, reviewer, verdict):
    sign(reviewer, promotion)
    grant_clearance(
        actor=Actor.system(),
        version=promotion.version,
        environment=promotion.environment,
        kind=Clearance.Kind.APPROVAL,
        evidence_sha256=promotion.evidence_sha256,
        reference=str(promotion.pk),
        reason="Nobody will notice.",
    )
    code, said = verdict()
    assert code == 1
    assert "without the approvals" in said["findings"][0]["finding"]
