"""The pages of groups: an admin's, with what was granted, and a member's."""

import pytest

from accounts.groups import services
from registry.access.services import grant
from tests.registry.conftest import make_model  # noqa: F401 - fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def forecasting(admin, scientist, stranger, actor, make_model):
    made = services.create_group(actor=actor(admin), name="forecasting", reason="A team.")
    for name in ("scientist", "stranger"):
        services.add_member(actor=actor(admin), group=made, account_name=name)
    for name in ("flight-delay", "churn"):
        grant(actor=actor(admin), model=make_model(name), group=made, right="register", reason="Trains it.")
    return made


def test_an_admin_sees_what_a_group_has_before_deleting_it(visit, forecasting):
    visitor = visit().sign_in("admin")
    visitor.open("/groups/")
    visitor.check_looks()
    page = visitor.open("/groups/forecasting/")
    visitor.check_looks()
    page.click("text=Delete…")
    page.wait_for_selector("text=2 members lose 4 grants")
    visitor.check_looks()
    page.fill("#id_reason", "The team is no more.")
    page.click("button:has-text('Delete forecasting')")
    page.wait_for_selector("text=No group yet")


def test_a_member_sees_the_others_alone(visit, forecasting):
    visitor = visit().sign_in("scientist")
    visitor.open("/groups/")
    visitor.check_looks()
    page = visitor.open("/groups/forecasting/")
    visitor.check_looks()
    assert "Granted to it" not in page.content()
