"""How PostgreSQL answers the registry's questions on 100,000 models: by an index.

Asked is the plan, never the time. One data scientist holds a grant on each model, so that a list
has to look at grants as well; a stranger holds none.
"""

import itertools
import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.limited_reads import PLANNED_FOR_A_PAGE
from mlflow_api import searching
from mlflow_api.surfaces import MODELS, VERSIONS
from registry.models import RegisteredModel
from registry.services import create_model
from tests.database import superuser
from tools.bench.registry_rows import OURS

pytestmark = pytest.mark.django_db(transaction=True)

LARGE = re.compile(
    r"Seq Scan on (registry_registeredmodel|registry_modelversion|registry_modeltag"
    r"|registry_versiontag|registry_modelalias|registry_access_modelaccountgrant)\b"
)
MANY, WITH_VERSIONS = 100_000, 8_000
OF_MODELS, OF_VERSIONS = (0, 2, 5), (1, 3, 4)
SEARCHES = [
    (MODELS, "name LIKE 'm-001234%'", [], "one_registered_model_per_name"),
    (MODELS, "name ILIKE '%01234%'", [], "model_by_part_of_name"),
    (MODELS, "tags.team = 'team-7'", [], "one_registered_model_per_name|model_by_tag_value"),
    (MODELS, "tags.team = 'team-7' AND tags.tier = 'gold'", [], "model_by_tag_value|one_value_per_model_tag"),
    (MODELS, "", ["last_updated_timestamp DESC"], "model_newest_first"),
    (MODELS, "", ["creation_timestamp DESC"], "model_by_age"),
    (MODELS, "", [], "one_registered_model_per_name"),
    (VERSIONS, "name = 'm-0001234'", [], "version_newest_of_model|version_numbers_are_never_reused"),
    (VERSIONS, "name = 'm-0001234'", ["version_number ASC"], "version_numbers_are_never_reused"),
    (VERSIONS, "run_id = 'abc'", [], "version_by_run"),
    (VERSIONS, "tags.dataset = 'ds-7'", [], "version_newest_first|version_by_tag"),
    (VERSIONS, "source_path = 'runs:/1/model'", [], "version_by_source"),
    (VERSIONS, "", [], "version_newest_first"),
]


@pytest.fixture
def many(scientist, test_database):
    facts = {"next": 6, "account": scientist.pk, "first": 0}
    with superuser(test_database.name) as rows:
        rows.execute("SET session_replication_role = replica")  # no checks of keys: they fit
        for places, count in ((OF_MODELS, MANY), (OF_VERSIONS, WITH_VERSIONS)):
            for place in places:
                rows.execute(OURS[place], {**facts, "last": count - 1})
        rows.execute("ANALYZE")
    yield
    with superuser(test_database.name) as rows:
        rows.execute("TRUNCATE registry_registeredmodel CASCADE")


def plan_of(ask):
    """The plan of the last statement: for its values, or for any where it was prepared."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    sql = asked[-1]["sql"]
    with connection.cursor() as cursor:
        if PLANNED_FOR_A_PAGE in sql:
            limits, last, statement = sql.rpartition(PLANNED_FOR_A_PAGE)
            cursor.execute(f"{limits}{last} EXPLAIN {statement}".replace("%", "%%"), [])
        else:
            places = itertools.count(1)
            statement = re.sub("%s", lambda _: f"${next(places)}", sql)
            cursor.execute(f"{PLANNED_FOR_A_PAGE} EXPLAIN (GENERIC_PLAN) {statement}")
        while cursor.nextset():
            pass
        return "\n".join(line for (line,) in cursor.fetchall())


def test_searches_read_no_table_from_end_to_end(many, scientist, stranger, make_account, actor, subtests):
    for who in (scientist, stranger):
        for surface, text, order, index in SEARCHES:
            with subtests.test(who.username, text=text, order=order):
                mine = actor(who)
                found = searching.search(surface, mine, text=text, order_by=order, token="", size=50)
                assert bool(found.entries) == (
                    who == scientist and "abc" not in text and "runs:/1" not in text
                )
                plan = plan_of(
                    lambda ask=(surface, text, order), mine=mine: searching.search(
                        ask[0], mine, text=ask[1], order_by=ask[2], token="", size=50
                    )
                )
                assert not LARGE.search(plan), plan
                if who == scientist:
                    assert re.search(index, plan), plan
        with subtests.test(who.username, what="the last page"):
            shown = (
                RegisteredModel.objects.visible_to(actor(who)).filter(name__gt="m-0099900").order_by("name")
            )
            plan = shown[:50].explain()
            assert not LARGE.search(plan), plan
        with subtests.test(who.username, what="the page's search"):
            plan = RegisteredModel.objects.visible_to(actor(who)).searched("012345")[:50].explain()
            assert not LARGE.search(plan), plan
    with subtests.test(what="others' models with the same tag"):
        require_no_other_with_the_same_tag(scientist, make_account, actor)


def require_no_other_with_the_same_tag(scientist, make_account, actor):
    """Whoever holds many is answered another way, and sees no more for it."""
    theirs = actor(make_account("neighbour", "data-scientist"))
    for name in ("a-secret", "m-0000007-secret"):
        create_model(actor=theirs, name=name, tags={"team": "team-7"})
    mine, seen, token = actor(scientist), [], ""
    while True:
        page = searching.search(
            MODELS, mine, text="tags.team = 'team-7'", order_by=[], token=token, size=1000
        )
        seen += [json.loads(each)["name"] for each in page.entries]
        token = page.next_token
        if not token:
            break
    assert seen == [f"m-{number:07}" for number in range(7, MANY, 20)]
    late = plan_of(
        lambda: searching.search(
            MODELS, actor(scientist), text="tags.team = 'team-7'", order_by=[], token="", size=5
        )
    )
    assert "sorted" in late
