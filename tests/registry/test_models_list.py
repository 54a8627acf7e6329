"""The list of models: narrowed, sorted and paged by its address."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actors import Actor
from core.pages import ROWS
from pipelines.models import DatasetVersion
from pipelines.services import create_dataset
from registry import services
from registry.evaluations.models import Evaluation
from registry.models import ModelTag, RegisteredModel, VersionDataset
from tests.compare.test_comparing_versions import judged

pytestmark = pytest.mark.django_db
MOMENT = "2013-04-26T10:00:00Z"


@pytest.fixture
def listed(client_for, scientist):
    """``listed("?sort=name")``: the names on the page, in its order."""
    client = client_for(scientist)

    def ask(query="", by=client):
        answer = by.get(f"/models/{query}")
        assert answer.status_code == 200, answer.content
        return re.findall(r'class="row-link" href="/models/([^/]+)/"', answer.content.decode())

    return ask


def many(count, owner=None):
    """Rows alone, all changed in the same moment: the hardest case for paging."""
    rows = RegisteredModel.objects.bulk_create(
        RegisteredModel(name=f"m-{index:03}", look_sha256="0" * 64, owner=owner) for index in range(count)
    )
    ModelTag.objects.bulk_create(ModelTag(model=row, key="team", value="ops") for row in rows)
    RegisteredModel.objects.update(last_updated_at=MOMENT)


def test_tags_owners_and_health_narrow_the_list(make_model, listed, scientist, operator, actor):
    late, early, other = (make_model(name) for name in ("late", "early", "other"))
    by = actor(scientist)
    services.set_tag(actor=by, target=late, key="team", value="ops: night")
    services.set_tag(actor=by, target=early, key="team", value="data")
    services.set_tag(actor=by, target=other, key="run:kind", value="nightly")
    services.update_model(actor=by, model=early, owner=operator.person)
    services.update_model(actor=by, model=other, owner=None)
    assert listed("?tag=team") == ["early", "late"]
    assert listed("?tag=team:data") == ["early"]
    assert listed("?tag=team:ops:%20night") == ["late"]
    assert listed("?tag=run:kind:nightly") == ["other"]
    assert listed("?tag=team:other") == []
    assert listed("?owner=OPER") == ["early"]
    assert listed("?show=unowned") == ["other"]
    assert listed("?owner=oper&tag=team:data&q=ear") == ["early"]
    assert listed("?health=unhealthy") == []


@pytest.mark.parametrize("sort", ["", "newest", "name", "changed"])
def test_every_order_is_paged_without_gap_or_repetition(sort, listed, client_for, reviewer):
    many(2 * ROWS + 3)
    client, seen, address = client_for(reviewer), [], f"?sort={sort}"
    while address:
        names = listed(address, by=client)
        page = client.get(f"/models/{address}").content.decode()
        newer = re.search(r'rel="prev" href="([^"]+)"', page)
        if seen:
            assert listed(newer[1].replace("&amp;", "&"), by=client) == seen[-ROWS:]
        seen += names
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = older[1].replace("&amp;", "&") if older else ""
    expected = [f"m-{index:03}" for index in range(2 * ROWS + 3)]
    assert seen == (expected if sort == "name" else expected[::-1])


def test_the_last_changed_comes_first(make_model, listed, scientist, actor):
    first, _second = make_model("first"), make_model("second")
    assert listed("?sort=changed") == ["second", "first"]
    services.update_model(actor=actor(scientist), model=first, description="Now with weather.")
    RegisteredModel.objects.filter(name="second").update(last_updated_at=MOMENT)
    assert listed("?sort=changed") == ["first", "second"]
    assert listed("?sort=newest") == ["second", "first"]


def test_what_narrows_stays_while_one_sorts_and_pages(client_for, scientist, make_model):
    make_model("delays", tier="high")
    page = client_for(scientist).get("/models/?tier=high&sort=name").content.decode()
    assert 'name="sort" value="name"' in page
    assert "?tier=high&amp;sort=changed" in page
    assert "Tier: High risk" in page
    empty = client_for(scientist).get("/models/?tier=low").content.decode()
    assert "No model fits these filters" in empty
    assert "Clear filters" in empty


@pytest.mark.parametrize(
    "bad",
    ["sort=age", "kind=texts", "health=ill", "show=all", "tag=%00", "owner=%00", f"tag={'x' * 501}", "sort=changed&before=x", "sort=changed&before=x~y", "sort=changed&after=2013-04-26~1", "sort=name&before=%00", "before=~"],
)  # fmt: skip
def test_an_address_that_is_not_understood_is_refused_by_name(bad, client_for, scientist):
    answer = client_for(scientist).get(f"/models/?{bad}")
    assert answer.status_code == 400
    assert re.search("sort|kind|health|show|tag|owner|position", answer.content.decode())


def test_a_stranger_finds_no_model_by_tag_owner_or_health(
    make_model, listed, client_for, scientist, stranger, actor
):
    services.set_tag(actor=actor(scientist), target=make_model("delays"), key="team", value="ops")
    for query in ("?tag=team:ops", "?owner=scientist", "?health=unhealthy", "?sort=changed", "?sort=name"):
        assert listed(query, by=client_for(stranger)) == []


def test_models_and_prompts_are_told_apart(make_prompt, make_model, listed, client_for, scientist, actor):
    make_model("delays")
    make_prompt("ask", "Say {{what}}.")
    services.create_model(actor=actor(scientist), name="not-one", tags={"mlflow.prompt.is_prompt": "false"})
    assert listed() == ["not-one", "ask", "delays"]
    assert listed("?kind=prompts") == ["ask"]
    assert listed("?kind=models") == ["not-one", "delays"]
    assert listed("?kind=prompts&q=dela") == []
    page = client_for(scientist).get("/models/?kind=prompts").content.decode()
    assert "Kind: Prompts" in page
    assert page.count("</svg>Prompt</span>") == 1
    assert "waits to be promoted" not in page
    assert "on call" not in page[page.index("<tbody>") :]


def test_twelve_models_cost_what_one_does(client_for, reviewer, listed):
    client, addresses = client_for(reviewer), ("?sort=changed", "?tag=team:ops&owner=rev&sort=name")

    def costs(count):
        RegisteredModel.objects.all().delete()
        many(count, owner=reviewer.person)
        counted = []
        for address in addresses:
            assert len(listed(address, by=client)) == count
            with CaptureQueriesContext(connection) as queries:
                client.get(f"/models/{address}")
            counted.append(len(queries))
        return counted

    assert costs(1) == costs(12)


def test_rest_narrows_like_the_page(
    make_model, make_prompt, token_client, listed, scientist, stranger, actor
):
    make_prompt("ask", "Say {{what}}.")
    services.set_tag(actor=actor(scientist), target=make_model("delays"), key="team", value="ops")
    make_model("cancellations")

    def named(query, by=scientist):
        return sorted(row["name"] for row in token_client(by).get(f"/api/v1/models{query}").json()["items"])

    for query in (
        "?tag=team:ops",
        "?owner=sci&q=canc",
        "?show=mine",
        "?show=unowned",
        "?health=unhealthy",
        "?kind=models",
        "?kind=prompts",
    ):
        assert named(query) == sorted(listed(query)), query
        assert named(query, by=stranger) == []
    assert named("?tag=team") == ["delays"]
    assert named("?kind=prompts") == ["ask"]
    for field in ("tier", "health", "show", "kind"):
        refused = token_client(scientist).get(f"/api/v1/models?{field}=odd")
        assert refused.status_code == 400
        assert f"{field} must be one of" in refused.json()["detail"]


def test_each_line_says_what_the_model_needs(make_model, make_row, client_for, scientist, operator, actor):
    def needs():
        page = client_for(scientist).get("/models/").content.decode()
        return re.findall(r'class="needs[^>]*>(?:<svg.*?</svg>)?(.*?)</p>', page)

    model = make_model("delays")
    assert needs() == ["Register a first version"]
    first = make_row(model, metrics={"roc_auc": 0.70})
    assert needs() == ["v1 is new; it names no hold-out"]
    held = DatasetVersion.objects.create(
        dataset=create_dataset(actor=actor(scientist), name="held-out"),
        number=1,
        status="ready",
        digest="b" * 64,
        source_digest="b" * 64,
    )
    use = VersionDataset.objects.create(version=first, dataset_version=held, role="holdout")
    assert needs() == ["v1 waits to be promoted"]
    make_row(make_model("boom"), run={"status": "FAILED"})
    assert needs() == ["v1 is new; its run failed", "v1 waits to be promoted"]
    services.delete_model(actor=actor(scientist), model=RegisteredModel.objects.get(name="boom"))
    use.delete()
    services.move_protected_alias(actor=Actor.system(), model=model, alias="champion", version=first)
    assert needs() == ["Name who is on call"]
    services.update_model(actor=actor(scientist), model=model, on_call=operator.person)
    assert needs() == []
    second = make_row(model, metrics={"roc_auc": 0.76})
    assert needs() == ["Evaluate v2 against v1"]
    dataset = create_dataset(actor=actor(scientist), name="flights")
    data = DatasetVersion.objects.create(
        dataset=dataset, number=1, status="ready", digest="a" * 64, source_digest="a" * 64
    )
    evaluation = Evaluation.objects.create(
        candidate=second, champion=first, dataset_version=data, candidate_digest=second.digest,
        champion_digest=first.digest, dataset_digest="a" * 64, status="succeeded", result_sha256="b" * 64,
        comparison=judged(0.02, 0.06, 0.10),
    )  # fmt: skip
    assert needs() == ["v2 is better than v1: ask for its promotion"]
    page = client_for(scientist).get("/models/").content.decode()
    assert "difference +0.0600, 95 % interval +0.0200 to +0.1000" in page
    assert 'class="spark' not in page, "it is not known that both runs tested on the same rows"
    for version in (first, second):
        VersionDataset.objects.create(version=version, dataset_version=data, role="holdout")
    assert 'class="spark' in client_for(scientist).get("/models/").content.decode()
    Evaluation.objects.filter(pk=evaluation.pk).update(comparison=judged(-0.10, -0.06, -0.02))
    assert needs() == ["v2 is worse than v1"]
