"""The page of a request stands when its version or its whole model is deleted, and links nothing that is not there."""

import re

import pytest

from approvals import services
from approvals.models import PromotionRequest
from registry import services as registry
from registry.access.services import grant
from registry.storage.models import Tombstone

pytestmark = pytest.mark.django_db


@pytest.fixture
def withdrawn(promotion, scientist, actor):
    why = "Trained on the wrong month."
    return services.withdraw(actor=actor(scientist), promotion=promotion, reason=why)


@pytest.fixture
def follow(client_for):
    """``follow(account, address)``: the page's text, once every link of its main part was opened."""

    def opened(account, address):
        client = client_for(account)
        page = client.get(address)
        assert page.status_code == 200
        text = page.content.decode().split("<main")[1]
        for link in set(re.findall(r'href="(/[^"#]*)', text)):
            assert client.get(link).status_code == 200, link
        return text

    return opened


def test_a_closed_request_says_who_closed_it_when_and_why(withdrawn, follow, reviewer):
    page = follow(reviewer, withdrawn.address)
    assert "<b>Withdrawn</b> by scientist <time" in page and "Trained on the wrong month." in page
    assert "0 of 2 approvals" in page
    assert "The evidence is being gathered" not in page and "After the last approval" not in page


def test_of_a_deleted_version_the_page_links_the_tombstone(withdrawn, version, scientist, actor, follow):
    registry.delete_version(actor=actor(scientist), version=version, reason="Half of the rows were missing.")
    page = follow(scientist, withdrawn.address)
    assert "was deleted since" in page and "Half of the rows were missing." in page
    assert f'href="/models/{version.model.name}/versions/{version.number}/"' in page
    assert "sbom" not in page
    assert follow(scientist, withdrawn.evaluation.address)
    assert f'href="{withdrawn.address}"' in follow(scientist, "/approvals/")


def test_of_a_deleted_model_nothing_points_at_who_took_the_name(
    withdrawn, version, make_model, scientist, reviewer, admin, actor, follow
):
    registry.delete_model(actor=actor(scientist), model=version.model, reason="Nobody flies any more.")
    newer = make_model(version.model.name)
    for account in (reviewer, admin):
        page = follow(account, withdrawn.address)
        assert "Nobody flies any more." in page if account == admin else "was deleted since" in page
        assert f'"/models/{newer.name}/' not in page and newer.name in page
        assert f'"/models/{newer.name}/' not in follow(account, withdrawn.evaluation.address)
    stone = Tombstone.objects.get()
    assert f'href="/deleted-versions/{stone.pk}/"' in follow(admin, withdrawn.address)
    assert "/deleted-versions/" not in follow(reviewer, withdrawn.address)


def test_who_saw_the_model_by_a_grant_still_reads_what_was_asked(
    withdrawn, version, scientist, stranger, make_account, actor, client_for, token_client, follow
):
    friend = make_account("friend")
    grant(actor=actor(scientist), model=version.model, right="view", account=friend, reason="To look.")
    registry.delete_model(actor=actor(scientist), model=version.model)
    assert "was deleted since" in follow(friend, withdrawn.address)
    rest = f"/api/v1/promotion-requests/{withdrawn.pk}"
    assert token_client(friend).get(rest).json()["state"] == "Withdrawn"
    assert client_for(stranger).get(withdrawn.address).status_code == 404
    assert token_client(stranger).get(rest).status_code == 404
    assert not PromotionRequest.objects.visible_to(actor(stranger)).exists()
    assert withdrawn.address not in client_for(stranger).get("/approvals/").content.decode()
