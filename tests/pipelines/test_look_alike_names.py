"""No data set passes for another, whoever creates them and when."""

import threading

import pytest
from django.apps import apps
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext

from accounts.actors import actor_for
from core.errors import Conflict, ProbedName
from core.looks import look_sha256
from pipelines.models import Dataset
from pipelines.services import create_dataset

pytestmark = pytest.mark.django_db
CASES = ("flight-delay", "Flight-Delay", "FLIGHT-DELAY", "flight-Delay")
ALIKE = ("flight-delay", "Flight-Delay", "fl1ght-delay", "flight-deIay")


@pytest.mark.parametrize("name", ALIKE[1:])
def test_a_name_that_looks_like_another_is_refused(make_dataset, make_account, name):
    make_dataset("flight-delay")
    with pytest.raises(Conflict, match="looks like the data set flight-delay") as refusal:
        make_dataset(name)
    assert refusal.value.code == "name_confusable"
    with pytest.raises(ProbedName) as refusal:
        make_dataset(name, by=make_account("other", "data-scientist"))
    assert "flight-delay," not in str(refusal.value).replace(name, ""), "what is hidden is not named"


def test_ordinary_names_stand_beside_each_other(make_dataset):
    for name in ("model-1", "model-l", "mail", "mall", "flights", "flights-2"):
        make_dataset(name)
    assert Dataset.objects.count() == 6


def test_names_kept_before_are_compared_too(make_dataset):
    make_dataset("flight-delay")
    Dataset.objects.update(look_sha256="")
    known = MigrationLoader(None).disk_migrations.values()
    [migration] = [each for each in known if each.name.endswith("_fill_looks_of_names")]
    migration.operations[0].code(apps, None)
    assert Dataset.objects.get().look_sha256 == look_sha256("flight-delay")
    with pytest.raises(Conflict):
        make_dataset("FLIGHT-DELAY")


def test_many_names_cost_a_new_one_what_few_do(make_dataset):
    def cost(name):
        with CaptureQueriesContext(connection) as queries:
            make_dataset(name)
        return len(queries)

    cost("first")
    before = cost("second")
    rows = [
        Dataset(name=f"d-{at}-{'x' * at}", look_sha256=look_sha256(f"d-{at}-{'x' * at}")) for at in range(40)
    ]
    Dataset.objects.bulk_create(rows)
    assert cost("third") == before


@pytest.mark.django_db(transaction=True)
def test_of_those_who_choose_look_alikes_at_once_one_gets_a_name(scientist, make_account):
    people = [scientist, *(make_account(f"person{each}", "data-scientist") for each in range(3))]
    outcomes, ready = [], threading.Barrier(len(people))

    def create(account, name):
        try:
            ready.wait(10)
            create_dataset(actor=actor_for(account), name=name)
            outcomes.append("created")
        except Conflict:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=create, args=pair) for pair in zip(people, CASES, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["created", "refused", "refused", "refused"]
    assert Dataset.objects.count() == 1
