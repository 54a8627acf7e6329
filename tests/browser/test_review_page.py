"""Reviewing and signing as a person does it."""

import pytest

from approvals.models import Decision
from pipelines.models import ContractCheck
from tests.approvals.conftest import (  # noqa: F401 - fixtures
    answer,
    heldout,
    make_model,
    make_version,
    measured,
    model_files,
    production,
    promotion,
    sign,
    tracking,
    version,
)
from tests.browser.conftest import LOOKS
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_of_approvals_are_sound(visit, promotion, reviewer, look):
    visitor = visit(*LOOKS[look]).sign_in("reviewer")
    for path in ("/inbox/", "/approvals/", promotion.address):
        visitor.open(path)
        visitor.check()
    small = LOOKS[look][1] < 800
    visitor.page.click(".mobilebar .approve" if small else ".rail .approve")
    visitor.page.wait_for_selector("#sign[open]")
    visitor.check()


def test_a_blocked_request_and_the_form_for_a_new_one_fit_a_phone(visit, promotion, reviewer, scientist):
    promotion.gate_results.filter(mode="block").update(
        outcome="failed", observed="the digest of the files is 5a115f42_and_not_7f754184_as_registered" * 2
    )
    ContractCheck.objects.update(status="failed")
    visitor = visit("light", 390).sign_in("reviewer")
    visitor.open(promotion.address)
    visitor.check()
    assert visitor.page.locator("text=Nobody can approve").count() >= 1
    visitor.page.click("text=Evaluate again")
    visitor.page.wait_for_selector("text=The evidence is being gathered again.")
    visitor.check()
    visitor = visit("dark", 390).sign_in("scientist")
    visitor.open(f"/models/{promotion.version.model.name}/versions/{promotion.version.number}/promote/")
    visitor.check()


def test_two_people_sign_and_the_request_is_released(visit, promotion, reviewer, validator):
    for name in ("reviewer", "validator"):
        visitor = visit().sign_in(name)
        page = visitor.open("/inbox/")
        page.click(f"text=Promote {promotion.version} to production")
        page.wait_for_url(f"**{promotion.address}")
        visitor.settle()
        page.keyboard.press("r")
        page.fill("#sign-reason", "The evidence holds.")
        page.fill("#sign-password", PASSWORD)
        page.click("text=Sign and approve")
        page.wait_for_selector("text=Your decision is signed")
        visitor.check()
    assert Decision.objects.counting().count() == 2
    promotion.refresh_from_db()
    assert promotion.status == "queued"
