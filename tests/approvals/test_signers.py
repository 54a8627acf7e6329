"""A request that nobody can sign is called so before it is opened, and while it waits."""

import pytest

from accounts.services import give_role, set_active
from approvals import services
from approvals.models import PromotionRequest
from approvals.signers import shortage_of
from registry.access.services import grant
from registry.services import update_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def describe(scientist, actor):
    """``describe(account, version)``: who may register edits it, and so contributed."""

    def edit(account, version):
        for right in ("view", "register"):
            grant(actor=actor(scientist), model=version.model, account=account, right=right, reason="Helps.")
        version.refresh_from_db()
        update_version(
            actor=actor(account), version=version, description=f"Seen by {account}.", expected_rev=version.rev
        )

    return edit


def titles(page):
    return [each.title for each in page.context["readiness"].facts if each.forbids]


def test_an_installation_without_a_role_says_so_before_anybody_asks(
    version, production, scientist, reviewer, validator, admin, actor, client_for
):
    address, client = f"/models/{version.model.name}/versions/1/", client_for(scientist)
    assert titles(client.get(address)) == []
    set_active(actor=actor(admin), account=validator, is_active=False)
    assert titles(client.get(address)) == ["Nobody can sign as validator"]
    form = client.get(f"{address}promote/").content.decode()
    assert "Nobody can sign as validator" in form
    assert "No active account has the role. Until an admin gives the role to somebody else" in form


def test_those_who_contributed_cannot_sign_and_the_request_says_so(
    promotion, version, reviewer, validator, describe, scientist, make_account, client_for
):
    client = client_for(scientist)
    assert shortage_of(promotion) is None
    for account in (reviewer, validator):
        describe(account, version)
    assert shortage_of(promotion).title == "Nobody can sign as reviewer or validator"
    page = client.get(promotion.address).content.decode()
    assert "Nobody can sign as reviewer or validator." in page
    assert "contributed to the version, so others must decide" in page
    assert titles(client.get(f"/models/{version.model.name}/versions/1/"))[-1].startswith("Nobody can sign")
    make_account("second-reviewer", "reviewer")
    assert shortage_of(promotion).title == "Nobody can sign as validator"
    make_account("second-validator", "validator")
    assert "Nobody can sign" not in client.get(promotion.address).content.decode()


def test_one_person_in_both_roles_is_one_too_few(promotion, make_account, reviewer, validator, admin, actor):
    give_role(actor=actor(admin), account=reviewer, role="validator")
    set_active(actor=actor(admin), account=validator, is_active=False)
    told = shortage_of(promotion)
    assert told.title == "Too few people can sign as validator"
    assert "1 reviewer, 1 validator, each a different person, and 1 can decide." in told.detail


def test_who_asks_does_not_count_as_a_signer(
    version, scientist, reviewer, validator, admin, actor, client_for
):
    grant(actor=actor(scientist), model=version.model, account=reviewer, right="propose", reason="May ask.")
    address = f"/models/{version.model.name}/versions/1/"
    assert titles(client_for(reviewer).get(address)) == ["Nobody can sign as reviewer"]
    assert titles(client_for(scientist).get(address)) == []


def test_the_list_tells_what_waits_from_what_is_forbidden(
    promotion, version, production, reviewer, validator, scientist, actor, client_for, make_version, answer
):
    heading = "1 request waits for signatures"
    client = client_for(reviewer)
    assert f"<h1>{heading}</h1>" in client.get("/approvals/").content.decode()
    other = services.request_promotion(
        actor=actor(scientist),
        version=make_version(version.model),
        environment=production,
        why="Another one.",
    )
    assert f"<h1>{heading}, 1 is being judged</h1>" in client.get("/approvals/").content.decode()
    services.judge_gates(actor=actor(scientist), promotion=other)
    assert f"<h1>{heading}, 1 is forbidden by gates</h1>" in client.get("/approvals/").content.decode()
    PromotionRequest.objects.all().update(status="cancelled")
    assert "<h1>No request waits for signatures</h1>" in client.get("/approvals/").content.decode()


def test_the_request_says_of_data_what_the_page_of_the_version_says(
    make_model, make_version, production, reviewer, scientist, actor, client_for
):
    logged = {"dataset": {"name": "my-flights", "digest": "f7e60103", "source": "{}"}, "tags": []}
    asked = services.request_promotion(
        actor=actor(scientist),
        version=make_version(make_model("notebook"), inputs=[logged]),
        environment=production,
        why="It is the first one.",
    )
    services.judge_gates(actor=actor(scientist), promotion=asked)
    page = client_for(reviewer).get(asked.address).content.decode()
    lineage = page.split('id="lineage"')[1].split('id="artifact"')[0]
    assert "my-flights" in lineage and "logged by the run, traced to no data set" in lineage
    assert "the stored files are as registered; not evaluated: no hold-out is named" in page
    assert "Files are as registered" in page
