"""Aliases and tags are set, moved and removed in the browser, and every step can be taken back."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actors import Actor
from core.errors import PreconditionFailed
from registry import services
from registry.access.services import grant
from tests.registry.test_registering_models import events

pytestmark = pytest.mark.django_db
MODEL, FIRST, SECOND = "/models/delays/", "/models/delays/versions/1/", "/models/delays/versions/2/"
DOORS = [
    f"{page}{what}/{act}/"
    for page in (MODEL, FIRST)
    for what in ("aliases", "tags")
    for act in ("set", "remove")
]


@pytest.fixture
def model(make_model, make_row):
    model = make_model()
    for _ in range(2):
        make_row(model)
    return model


@pytest.fixture
def client(client_for, scientist):
    return client_for(scientist)


def hidden(answer, name):
    """The value of a hidden field of the page."""
    return unescape(
        re.search(rf'name="{name}" value="([^"]*)" id="(?:alias|tag)_', answer.content.decode()).group(1)
    )


def undo_of(answer):
    """The address that the newest message's Undo posts to."""
    page = answer.content.decode()
    return unescape(re.findall(r'class="msg success".*?action="([^"]+)"', page, re.DOTALL)[-1])


def pointed(model):
    return {each.name: each.version.number for each in model.aliases.select_related("version")}


def test_an_alias_is_set_moved_knowingly_and_moved_back(client, model):
    answer = client.post(f"{FIRST}aliases/set/", {"alias": "challenger"})
    assert (answer.status_code, answer["Location"]) == (302, FIRST)
    asked = client.post(f"{SECOND}aliases/set/", {"alias": "challenger"})
    assert asked.status_code == 422
    assert "challenger points at v1 since" in asked.content.decode()
    assert 'value="challenger"' in asked.content.decode()
    assert pointed(model) == {"challenger": 1}
    body = {"alias": "challenger", "seen": hidden(asked, "seen")}
    moved = client.post(f"{SECOND}aliases/set/", body, follow=True)
    assert "challenger points at delays v2 now; it pointed at v1." in moved.content.decode()
    assert pointed(model) == {"challenger": 2}
    client.post(undo_of(moved), follow=True)
    assert pointed(model) == {"challenger": 1}


def test_two_people_who_move_an_alias_do_not_overwrite_each_other(client, model, make_row, scientist, actor):
    third = make_row(model)
    services.set_alias(
        actor=actor(scientist), model=model, alias="challenger", version=model.versions.get(number=1)
    )
    asked = client.post(f"{SECOND}aliases/set/", {"alias": "challenger"})
    services.set_alias(actor=actor(scientist), model=model, alias="challenger", version=third)
    body = {"alias": "challenger", "seen": hidden(asked, "seen")}
    again = client.post(f"{SECOND}aliases/set/", body)
    assert again.status_code == 422
    assert "challenger points at v3 since" in again.content.decode()
    assert pointed(model) == {"challenger": 3}


def test_an_alias_is_set_and_removed_on_the_models_page(client, model):
    assert client.post(f"{MODEL}aliases/set/", {"alias": "challenger", "version": "9"}).status_code == 422
    answer = client.post(f"{MODEL}aliases/set/", {"alias": "challenger", "version": "2"}, follow=True)
    assert pointed(model) == {"challenger": 2}
    client.post(undo_of(answer), follow=True)
    assert pointed(model) == {}
    client.post(f"{MODEL}aliases/set/", {"alias": "challenger", "version": "2"})
    etag = services.alias_etag(model.aliases.get())
    removed = client.post(f"{MODEL}aliases/remove/", {"alias": etag}, follow=True)
    assert "challenger is removed; it pointed at delays v2." in removed.content.decode()
    client.post(undo_of(removed), follow=True)
    assert pointed(model) == {"challenger": 2}
    assert client.post(f"{MODEL}aliases/remove/", {"alias": etag}).status_code == 422, "set anew since"
    assert pointed(model) == {"challenger": 2}


def test_an_alias_is_removed_on_the_page_of_its_version_alone(client, model, scientist, actor):
    first = model.versions.get(number=1)
    etag = services.alias_etag(
        services.set_alias(actor=actor(scientist), model=model, alias="blue", version=first)
    )
    assert client.post(f"{SECOND}aliases/remove/", {"alias": etag}).status_code == 422
    assert client.post(f"{FIRST}aliases/remove/", {"alias": etag}).status_code == 302
    assert not model.aliases.exists()


def test_a_protected_alias_leads_to_the_request_for_promotion(client, model, admin, actor):
    for body, door in (({"alias": "champion"}, FIRST), ({"alias": "champion", "version": "1"}, MODEL)):
        answer = client.post(f"{door}aliases/set/", body)
        assert (answer.status_code, answer["Location"]) == (302, f"{FIRST}promote/?environment=production")
    assert client.get(answer["Location"]).status_code == 200
    services.protect_alias(actor=actor(admin), alias="audited")
    refused = client.post(f"{FIRST}aliases/set/", {"alias": "audited"})
    assert refused.status_code == 422
    assert "audited is protected, and no environment follows it." in refused.content.decode()
    version = model.versions.get(number=1)
    services.move_protected_alias(actor=Actor.system(), model=model, alias="champion", version=version)
    page = client.get(FIRST).content.decode()
    assert "Alias to remove" not in page
    assert (
        client.post(
            f"{FIRST}aliases/remove/", {"alias": services.alias_etag(model.aliases.get())}
        ).status_code
        == 422
    )
    assert pointed(model) == {"champion": 1}


@pytest.mark.parametrize("alias", ["", "latest", "v3", "a b", "Champion", "x" * 300, "a\x00b"])
def test_odd_aliases_are_answered_at_their_field(client, model, alias):
    for door, more in ((FIRST, {}), (MODEL, {"version": "1"})):
        answer = client.post(f"{door}aliases/set/", {"alias": alias, **more})
        assert answer.status_code == 422
        assert 'id="alias_alias_error"' in answer.content.decode()
    assert not model.aliases.exists()


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("controlplane.dataset_versions", "read from the run when a version is registered"),
        ("mlflow.prompt.is_prompt", "is a version of a model, so it is no prompt"),
    ],
)
def test_a_tag_that_nothing_would_read_is_refused_with_the_way_on(client, model, key, why):
    answer = client.post(f"{FIRST}tags/set/", {"key": key, "value": "true"})
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert not model.versions.get(number=1).tags.exists()


@pytest.mark.parametrize("door", [MODEL, FIRST])
def test_a_tag_is_set_replaced_knowingly_removed_and_put_back(client, model, door):
    target = model if door == MODEL else model.versions.get(number=1)

    def tags():
        return dict(target.tags.values_list("key", "value"))

    assert client.post(f"{door}tags/set/", {"key": "stage", "value": "one\r\ntwo"}).status_code == 302
    assert tags() == {"stage": "one\ntwo"}
    asked = client.post(f"{door}tags/set/", {"key": "stage", "value": "three"})
    assert asked.status_code == 422
    assert "three</textarea>" in asked.content.decode()
    body = {"key": "stage", "value": "three", "seen": hidden(asked, "seen")}
    replaced = client.post(f"{door}tags/set/", body, follow=True)
    assert tags() == {"stage": "three"}
    client.post(undo_of(replaced), follow=True)
    assert tags() == {"stage": "one\ntwo"}
    removed = client.post(f"{door}tags/remove/", {"key": "stage"}, follow=True)
    assert tags() == {}
    client.post(undo_of(removed), follow=True)
    assert tags() == {"stage": "one\ntwo"}
    assert client.post(f"{door}tags/remove/", {"key": "none"}).status_code == 422
    assert client.post(f"{door}tags/set/", {"key": "", "value": "x"}).status_code == 422
    assert len(events("registry.tag_set")) == 4


def test_two_people_who_set_a_tag_do_not_overwrite_each_other(model, scientist, actor):
    by = {"actor": actor(scientist), "target": model, "key": "stage"}
    services.set_tag(**by, value="one", seen=None)
    for late in (None, "zero"):
        with pytest.raises(PreconditionFailed):
            services.set_tag(**by, value="two", seen=late)
    with pytest.raises(PreconditionFailed):
        services.delete_tag(**by, seen="zero")
    assert dict(model.tags.values_list("key", "value")) == {"stage": "one"}
    services.delete_tag(**by, seen="one")
    assert not model.tags.exists()


def test_what_a_prompt_says_is_no_tag_to_remove(client, model):
    version = model.versions.get(number=1)
    for key, value in (
        ("mlflow.prompt.text", "Say hello."),
        ("note", "old"),
        ("mlflow.prompt.is_prompt", "true"),
    ):
        version.tags.create(key=key, value=value)
    assert client.post(f"{FIRST}tags/remove/", {"key": "mlflow.prompt.text"}).status_code == 422
    answer = client.post(f"{FIRST}tags/set/", {"key": "mlflow.prompt.text", "value": "Say bye."})
    assert answer.status_code == 422
    assert client.post(f"{FIRST}tags/remove/", {"key": "note"}).status_code == 302
    assert version.tags.count() == 2


@pytest.mark.parametrize("door", DOORS)
def test_strangers_find_nothing_and_who_only_views_is_refused(model, client_for, stranger, reviewer, door):
    body = {"alias": "challenger", "version": "1", "key": "k", "value": "v"}
    assert client_for(stranger).post(door, body).status_code == 404
    assert not events("registry.require_describing")
    assert client_for(reviewer).post(door, body).status_code == 403
    denied = events("registry.require_describing")
    assert [each["outcome"] for each in denied] == ["denied"]
    assert not model.aliases.exists()
    assert not model.tags.exists()


def test_a_model_without_versions_offers_tags_alone(client, make_model):
    make_model("empty")
    page = client.get("/models/empty/").content.decode()
    assert "aliases/set/" not in page
    assert "/models/empty/tags/set/" in page
    assert client.post("/models/empty/aliases/set/", {"alias": "blue", "version": "1"}).status_code == 422


def test_only_who_may_is_shown_the_forms(model, client_for, client, reviewer, stranger, scientist, actor):
    for page in (MODEL, FIRST):
        assert "aliases/set/" in client.get(page).content.decode()
        assert "aliases/set/" not in client_for(reviewer).get(page).content.decode()
        assert "tags/set/" not in client_for(reviewer).get(page).content.decode()
    grant(actor=actor(scientist), model=model, right="register", account=stranger, reason="Helps.")
    assert client_for(stranger).post(f"{FIRST}tags/set/", {"key": "k", "value": "v"}).status_code == 302


def test_the_forms_cost_the_same_for_1_and_12(model, client, scientist, actor):
    version = model.versions.get(number=1)

    def fill(number):
        services.set_alias(actor=actor(scientist), model=model, alias=f"alias-{number}", version=version)
        for target in (model, version):
            services.set_tag(actor=actor(scientist), target=target, key=f"key-{number}", value="v")

    def questions(page):
        with CaptureQueriesContext(connection) as seen:
            assert client.get(page).status_code == 200
        return len(seen)

    fill(0)
    pages = (MODEL, FIRST)
    for page in pages:
        client.get(page)
    one = [questions(page) for page in pages]
    for number in range(1, 12):
        fill(number)
    assert [questions(page) for page in pages] == one
