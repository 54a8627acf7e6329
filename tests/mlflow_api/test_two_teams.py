"""Two teams see nothing of each other: what is theirs answers exactly like what is not there.

Everything of the other team's holds the word kestrel, and each question is asked twice: about
theirs, and about something of a name as long that does not exist. The answers must be the same
text; and no list, search or count may hold the word or move.
"""

import json
from urllib.parse import quote, urlencode

import pytest
from django.urls import get_resolver

from mlflow_api.urls import DOORS
from registry import services
from registry.access.services import grant
from tests.architecture.test_rules_of_the_code import addresses

pytestmark = pytest.mark.django_db

THEIRS, ABSENT = "kestrel-delays", "missing-delays"
WORD = "kestrel"


@pytest.fixture
def theirs(make_account, make_model, make_version, actor, tracking):
    """A model of the other team with everything a model can have."""
    other = make_account("other", "data-scientist")
    by = actor(other)
    model = make_model(THEIRS, by=other, description="kestrel text", tags={"kestrel": "kestrel"})
    version = make_version(model, by=other)
    services.set_tag(actor=by, target=version, key="kestrel", value="kestrel")
    services.update_version(actor=by, version=version, description="kestrel words")
    services.set_alias(actor=by, model=model, alias="kestrel-alias", version=version)
    services.transition_stage(actor=by, version=version, stage="Staging")
    tracking.add_run("kestrel-run", owner=str(other.person_id))
    return model, version


@pytest.fixture
def mine(make_model, scientist):
    return make_model("own")


def questions(name, version_id, run, own="own"):
    """Every call of the surface that can name a model, a version, a run or a file."""
    about, number = {"name": name}, {"name": name, "version": "1"}
    sources = [f"models:/{name}/1", f"runs:/{run}/model", f"mlflow-artifacts:/0/{run}/artifacts/model"]
    return [
        ("GET", "registered-models/get", about),
        ("POST", "registered-models/rename", {**about, "new_name": "another"}),
        ("PATCH", "registered-models/update", {**about, "description": "x"}),
        ("DELETE", "registered-models/delete", about),
        ("POST", "registered-models/set-tag", {**about, "key": "a", "value": "b"}),
        ("DELETE", "registered-models/delete-tag", {**about, "key": WORD}),
        ("GET", "registered-models/get-latest-versions", about),
        ("POST", "registered-models/get-latest-versions", {**about, "stages": ["Staging"]}),
        *[("GET", "registered-models/alias", {**about, "alias": each}) for each in ("kestrel-alias", "latest", "x")],
        ("POST", "registered-models/alias", {**number, "alias": "mine"}),
        ("POST", "registered-models/alias", {**number, "alias": "champion"}),
        ("DELETE", "registered-models/alias", {**about, "alias": "kestrel-alias"}),
        ("DELETE", "registered-models/alias", {**about, "alias": "champion"}),
        ("POST", "model-versions/create", {**about, "source": "runs:/r1/model"}),
        *[("POST", "model-versions/create", {"name": own, "source": each}) for each in sources],
        ("POST", "model-versions/create", {"name": own, "source": sources[2], "run_id": run}),
        ("GET", "model-versions/get", number),
        ("GET", "model-versions/get", {**about, "version": "9"}),
        ("PATCH", "model-versions/update", {**number, "description": "x"}),
        ("DELETE", "model-versions/delete", number),
        ("POST", "model-versions/transition-stage", {**number, "stage": "Archived"}),
        ("POST", "model-versions/transition-stage", {**number, "stage": "Production"}),
        ("GET", "model-versions/get-download-uri", number),
        ("POST", "model-versions/set-tag", {**number, "key": "a", "value": "b"}),
        ("DELETE", "model-versions/delete-tag", {**number, "key": WORD}),
        ("GET", "../mlflow-artifacts/artifacts", {"path": f"versions/{version_id}"}),
        ("GET", f"../mlflow-artifacts/artifacts/versions/{version_id}/MLmodel", {}),
    ]  # fmt: skip


SEARCHES = [
    *[("registered-models/search", text) for text in ("", f"name = '{THEIRS}'", "name LIKE 'kestrel%'", "tags.kestrel = 'kestrel'", "tags.kestrel != 'x'", "name != 'own'", "name NOT IN ('own')")],
    *[("model-versions/search", text) for text in ("", f"name = '{THEIRS}'", "run_id = 'kestrel-run'", "run_id != 'x'", "source_path LIKE '%'", "tags.kestrel = 'kestrel'", "version_number > 0", "version_number != 7")],
]  # fmt: skip

REST = ["", "/versions", "/versions/1", "/versions/1/files", "/versions/1/files/MLmodel", "/versions/1/manifest", "/versions/1/lineage", "/versions/1/evaluations", "/aliases", "/aliases/kestrel-alias", "/access"]  # fmt: skip


def said(client, method, address, sent):
    path = f"/api/2.0/mlflow/{address}".replace("/mlflow/..", "")
    if method == "GET":
        answer = client.get(f"{path}?{urlencode(sent)}")
    else:
        answer = client.generic(method, path, json.dumps(sent), content_type="application/json")
    assert not answer.streaming, (address, "a file was handed out")
    return answer.status_code, answer.content.decode()


def test_every_call_answers_as_if_it_were_not_there(theirs, mine, token_client, scientist, stranger):
    model, version = theirs
    nobody = "01890a5d-ac96-774b-bcce-b302099a8057"
    asked_of = {address for _, address, _ in questions("", "", "")}
    assert set(DOORS) - asked_of == {f"{kind}/search" for kind in ("registered-models", "model-versions")} | {
        "registered-models/create"
    }, "a call of the surface is asked nothing here"
    for account in (scientist, stranger):
        client = token_client(account)
        about_theirs = questions(THEIRS, version.pk, "kestrel-run")
        about_nothing = questions(ABSENT, nobody, "missing-run")
        for one, other in zip(about_theirs, about_nothing, strict=True):
            found, absent = said(client, *one), said(client, *other)
            hidden = (
                found[1]
                .replace(THEIRS, ABSENT)
                .replace("kestrel-run", "missing-run")
                .replace(str(version.pk), nobody)
            )
            assert (found[0], hidden) == absent, one
            assert 400 <= found[0] < 500, one
    model.refresh_from_db()
    assert [each.name for each in model.aliases.all()] == ["kestrel-alias"]
    assert dict(model.tags.values_list("key", "value")) == {"kestrel": "kestrel"}
    assert (model.name, model.versions.existing().count(), model.versions.get().stage) == (
        THEIRS,
        1,
        "Staging",
    )


def test_no_search_finds_or_counts_it(theirs, mine, make_row, surface, scientist, stranger):
    make_row(mine)
    for account, models, versions in ((scientist, ["own"], ["own"]), (stranger, [], [])):
        client = surface(account)
        for address, text in SEARCHES:
            for order in ([], ["name DESC"], ["last_updated_timestamp"]):
                status, body = client.get(address, filter=text, order_by=order, max_results=1)
                assert status == 200, (address, text, body)
                assert WORD not in json.dumps(body), (address, text)
                assert "next_page_token" not in body, "a page more would tell that there is more"
                rows = next(iter(body.values()))
                assert {each["name"] for each in rows} <= set(models + versions)


def test_no_list_or_page_holds_it_and_its_own_addresses_are_not_there(
    theirs, mine, token_client, client_for, scientist
):
    rest, browser = token_client(scientist), client_for(scientist)
    for suffix in REST:
        found = rest.get(f"/api/v1/models/{THEIRS}{suffix}")
        absent = rest.get(f"/api/v1/models/{ABSENT}{suffix}")
        assert found.status_code == absent.status_code == 404, suffix
        if suffix != "/access":
            assert _plain(found).replace(THEIRS, ABSENT) == _plain(absent)
    for page in ("", "versions/1/", "access/", "edit/"):
        assert browser.get(f"/models/{THEIRS}/{page}").status_code == 404
    for route in sorted(set(addresses(get_resolver()))):
        path = route.replace("/?", "").replace("\\Z", "")
        if any(each in path for each in "<(\\") or path.startswith(("/logout", "/static")):
            continue
        for client in (rest, browser):
            answer = client.get(path, {"q": WORD[1:], "model": "own"})  # a part: pages repeat what was typed
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert WORD.encode() not in body, path


def test_a_grant_shows_it_and_its_end_hides_it_with_the_next_call(
    theirs, mine, surface, scientist, make_account, actor
):
    from accounts.models import Account
    from registry.access.services import revoke

    model, _ = theirs
    owner = actor(Account.objects.get(username="other"))
    client = surface(scientist)
    given = {"model": model, "right": "view", "account": scientist, "reason": "They look at it together."}
    for _ in range(2):
        assert client.get("registered-models/get", name=THEIRS)[0] == 404
        grant(actor=owner, **given)
        assert client.get("registered-models/get", name=THEIRS)[0] == 200
        names = [each["name"] for each in client.get("registered-models/search")[1]["registered_models"]]
        assert names == [THEIRS, "own"]
        assert client.post("registered-models/set-tag", name=THEIRS, key="a", value="b")[0] == 403
        assert client.post("registered-models/alias", name=THEIRS, alias="a", version="1")[0] == 403
        revoke(actor=owner, **given)


def _plain(answer):
    """A problem document without what differs by request."""
    body = json.loads(answer.content)
    return json.dumps({name: body[name] for name in ("title", "status", "detail", "code")})


def test_quoting_a_name_does_not_help(theirs, mine, token_client, scientist):
    rest = token_client(scientist)
    for disguise in (
        THEIRS.upper(),
        f" {THEIRS}",
        quote(THEIRS, safe="").replace("-", "%2D"),
        f"{THEIRS}%00",
        f"own/../{THEIRS}",
    ):
        assert rest.get(f"/api/v1/models/{disguise}").status_code in {400, 404}
