"""Several writers at the same tag or alias: none fails, and the trail tells one story."""

import threading

import pytest
from django.db import connection

from audit.models import Event
from core.errors import NotFound
from registry import services
from registry.models import ModelTag, ModelVersion, RegisteredModel, VersionTag

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, TURNS = 6, 4
JSON = "application/json"


def at_once(write):
    """Call ``write(n)`` for many n from several threads; answers what went wrong."""
    failures, ready = [], threading.Barrier(WRITERS)

    def writer(first):
        try:
            ready.wait()
            for turn in range(TURNS):
                write(first * TURNS + turn)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=writer, args=(first,)) for first in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def told(action, field):
    """(before, after) of each event, in the order in which they were committed: by the revision."""
    events = Event.objects.acting(action)
    rows = sorted(events, key=lambda event: event.fields["object"]["revision"])
    return [(row.fields.get("before", {}).get(field), row.fields["after"][field]) for row in rows]


def is_one_story(pairs, last):
    after = [value for _, value in pairs]
    return [before for before, _ in pairs] == [None, *after[:-1]] and after[-1] == last


@pytest.mark.parametrize("kind", ["model", "version"])
def test_writers_of_one_tag_follow_each_other(kind, make_model, make_row, scientist, actor):
    model = make_model()
    target = make_row(model) if kind == "version" else model
    by = actor(scientist)
    write = lambda n: services.set_tag(actor=by, target=target, key="note", value=f"value {n}")  # noqa: E731
    assert at_once(write) == []
    (tag,) = (VersionTag if kind == "version" else ModelTag).objects.all()
    pairs = told("registry.tag_set", "value")
    assert len(pairs) == WRITERS * TURNS
    assert is_one_story(pairs, tag.value)
    target.refresh_from_db()
    assert target.rev == 1 + WRITERS * TURNS


def test_writers_of_one_alias_follow_each_other(make_model, make_row, scientist, actor):
    model = make_model()
    versions = [make_row(model) for _ in range(WRITERS * TURNS)]
    by = actor(scientist)
    write = lambda n: services.set_alias(actor=by, model=model, alias="best", version=versions[n])  # noqa: E731
    assert at_once(write) == []
    pairs = told("registry.alias_set", "version")
    assert len(pairs) == WRITERS * TURNS
    assert is_one_story(pairs, model.aliases.get().version.number)


def test_of_many_who_saw_the_same_alias_one_moves_it(make_model, make_row, scientist, token_client):
    model = make_model()
    versions = [make_row(model) for _ in range(WRITERS * TURNS)]
    client, address = token_client(scientist), "/api/v1/models/delays/aliases/best"
    first = client.put(address, {"version": 1}, JSON)
    answers = []

    def write(n):
        sent = {"version": versions[n].number}
        answers.append(client.put(address, sent, JSON, headers={"If-Match": first["ETag"]}).status_code)

    assert at_once(write) == []
    assert sorted(answers) == [200] + [412] * (WRITERS * TURNS - 1)
    answers.clear()
    seen = client.get(address)["ETag"]

    def remove(n):
        answers.append(client.delete(address, headers={"If-Match": seen}).status_code)

    assert at_once(remove) == []
    assert answers.count(204) == 1 and set(answers) <= {204, 404, 412}
    assert Event.objects.acting("registry.alias_deleted").count() == 1


def test_of_many_who_saw_no_alias_one_makes_it(make_model, make_row, scientist, token_client):
    model = make_model()
    versions = [make_row(model) for _ in range(WRITERS * TURNS)]
    client, address = token_client(scientist), "/api/v1/models/delays/aliases/best"
    answers = []

    def write(n):
        answers.append(client.put(address, {"version": versions[n].number}, JSON).status_code)

    assert at_once(write) == []
    assert answers.count(201) == 1 and set(answers) <= {201, 412, 428}
    assert client.put(f"{address}-gone", {"version": 1}, JSON, headers={"If-Match": "*"}).status_code == 412


def test_a_version_deleted_meanwhile_takes_no_alias_and_no_tag(make_model, make_row, scientist, actor):
    model, by = make_model(), actor(scientist)
    versions = [make_row(model) for _ in range(WRITERS * TURNS)]

    def write(n):
        if n % 2:
            of_another = versions[(n - 1 + TURNS) % len(versions)]
            services.delete_version(actor=by, version=of_another, reason="Made by mistake.")
            return
        try:
            services.set_alias(actor=by, model=model, alias=f"of-{n}", version=versions[n])
        except NotFound:
            return

    assert at_once(write) == []
    assert not ModelVersion.objects.filter(deleted_at__isnull=False, aliases__isnull=False).exists()
    assert (
        RegisteredModel.objects.get().rev
        == 1 + WRITERS * TURNS // 2 + Event.objects.acting("registry.alias_set").count()
    )
