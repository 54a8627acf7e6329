"""What stands at the address of a version that was deleted."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry import services
from registry.access.services import grant
from registry.evaluations.models import Evaluation
from registry.storage.models import Tombstone

pytestmark = pytest.mark.django_db
PLACE = "/models/delays/versions/2/"


@pytest.fixture
def deleted(make_model, make_row, scientist, actor):
    """The second of three versions is gone."""
    model = make_model()
    rows = [make_row(model) for _ in range(3)]
    services.delete_version(actor=actor(scientist), version=rows[1], reason="Trained on the wrong month.")
    return model


def test_the_address_says_who_deleted_it_and_why(deleted, client_for, scientist, auditor):
    page = client_for(scientist).get(PLACE)
    said = page.content.decode()
    assert page.status_code == 200
    assert "delays v2 was deleted" in said
    assert "Trained on the wrong month." in said
    assert f"sha256:{'a' * 64}" in said
    assert "/audit/" not in said.split("<main")[1]
    assert "The deletion in the audit trail" in client_for(auditor).get(PLACE).content.decode()


def test_what_never_was_is_not_found(deleted, client_for, scientist):
    assert client_for(scientist).get("/models/delays/versions/9/").status_code == 404
    assert client_for(scientist).get(f"/models/delays/versions/{2**40}/").status_code == 404


def test_a_stranger_learns_nothing_of_it(deleted, client_for, stranger, reviewer, scientist, actor):
    stone = Tombstone.objects.get()
    for address in (PLACE, f"/deleted-versions/{stone.pk}/"):
        assert client_for(stranger).get(address).status_code == 404
        assert client_for(reviewer).get(address).status_code == 200
    grant(actor=actor(scientist), model=deleted, right="view", account=stranger, reason="To look.")
    assert client_for(stranger).get(PLACE).status_code == 200


def test_who_administers_nothing_is_told_so_and_not_that_nothing_was_deleted(
    deleted, client_for, scientist, reviewer
):
    def listed(account, query=""):
        return client_for(account).get(f"/deleted-versions/{query}").content.decode()

    assert "You administer no model" in listed(reviewer)
    assert "Nothing was deleted" not in listed(reviewer)
    narrowed = listed(scientist, "?model=other")
    assert "Nothing was deleted of such a model" in narrowed
    assert "Model: other<svg" in narrowed
    assert 'aria-label="Remove the filter' not in narrowed


def test_other_pages_and_rest_point_to_it(deleted, client_for, token_client, scientist):
    for address in ("/models/delays/compare/?a=1&b=2", "/models/delays/card/?version=2"):
        answer = client_for(scientist).get(address)
        assert answer.status_code == 404
        assert f'href="{PLACE}"' in answer.content.decode(), address
    problem = token_client(scientist).get("/api/v1/models/delays/versions/2").json()
    assert (problem["code"], problem["tombstone"]) == ("version_deleted", PLACE)
    assert f'href="{PLACE}"' in client_for(scientist).get("/deleted-versions/").content.decode()


def test_it_is_found_from_a_model_that_is_renamed(deleted, client_for, token_client, scientist, actor):
    services.rename_model(actor=actor(scientist), model=deleted, new_name="late-flights")
    client = client_for(scientist)
    for name in ("late-flights", "delays"):
        listed = client.get(f"/deleted-versions/?model={name}").content.decode()
        assert "late-flights v2</a><small>then named delays" in listed, name
        found = token_client(scientist).get(f"/api/v1/deleted-versions?model={name}").json()["items"]
        assert [each["version"] for each in found] == [2], name
    page = client.get("/models/late-flights/versions/2/").content.decode()
    assert "late-flights v2 was deleted" in page
    assert "then named delays" in page


def test_it_outlives_its_model(deleted, client_for, scientist, admin, actor):
    services.delete_model(actor=actor(scientist), model=deleted, reason="Never used.")
    stone = Tombstone.objects.get(number=2)
    address = f"/deleted-versions/{stone.pk}/"
    assert f'href="{address}"' in client_for(admin).get("/deleted-versions/").content.decode()
    assert "delays v2 was deleted" in client_for(admin).get(address).content.decode()
    assert client_for(scientist).get(address).status_code == 404


def test_the_list_of_versions_shows_the_gap(deleted, make_row, client_for, scientist, actor):
    client = client_for(scientist)
    page = client.get("/models/delays/").content.decode()
    table = page[page.index('id="versions"') :]
    assert table.index("versions/3/") < table.index("versions/2/") < table.index("versions/1/")
    assert "Trained on the wrong month." in table

    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/models/delays/").status_code == 200
        return len(queries)

    one = cost()
    rows = [make_row(deleted) for _ in range(12)]
    for row in rows[:11]:
        services.delete_version(actor=actor(scientist), version=row, reason="More.")
    assert cost() == one
    assert "and 10 before it" in client.get("/models/delays/").content.decode()


def test_it_names_the_evaluations_that_speak_of_it(make_model, make_row, scientist, actor, client_for):
    from pipelines.models import Dataset, DatasetVersion

    model = make_model()
    first, second = make_row(model), make_row(model)
    data = DatasetVersion.objects.create(
        dataset=Dataset.objects.create(name="flights"), number=1, status="ready", digest="d" * 64
    )
    evaluation = Evaluation.objects.create(
        candidate=second,
        champion=first,
        dataset_version=data,
        candidate_digest="a" * 64,
        champion_digest="a" * 64,
        dataset_digest="d" * 64,
    )
    services.delete_version(actor=actor(scientist), version=second, reason="Wrong.")
    said = client_for(scientist).get(PLACE).content.decode()
    assert f'href="{evaluation.address}"' in said
