"""The registry's pages: what people see, change, and may not know."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actors import Actor
from registry import services
from registry.access.services import grant
from registry.models import RegisteredModel
from tests.registry.test_registering_models import events

pytestmark = pytest.mark.django_db
PATHS = ("/models/delays/", "/models/delays/edit/", "/models/delays/access/", "/models/delays/versions/1/")


def test_the_list_shows_what_is_live_and_who_answers(
    make_model, make_version, client_for, scientist, operator, actor
):
    model = make_model("delays", description="Late or not?")
    services.update_model(actor=actor(scientist), model=model, on_call=operator.person)
    version = make_version(model)
    services.move_protected_alias(actor=Actor.system(), model=model, alias="champion", version=version)
    make_model("cancellations")
    page = client_for(scientist).get("/models/").content.decode()
    assert "/models/delays/versions/1/" in page
    assert "operator" in page
    assert "no version" in page
    live = client_for(scientist).get("/models/?show=live").content.decode()
    assert "/models/delays/" in live
    assert "/models/cancellations/" not in live
    assert "No model fits" in client_for(scientist).get("/models/?q=nothing").content.decode()


def test_pages_and_rest_agree(make_model, make_version, client_for, token_client, scientist):
    make_version(make_model("delays"), metrics={"roc_auc": 0.678})
    version = token_client(scientist).get("/api/v1/models/delays/versions/1").json()
    page = client_for(scientist).get("/models/delays/versions/1/").content.decode()
    assert f"sha256:{version['digest']}" in page
    assert "0.6780" in page
    assert "loading a pickle can run code" in page
    for entry in token_client(scientist).get("/api/v1/models/delays/versions/1/manifest").json()["files"]:
        assert entry["path"] in page
        assert f"sha256:{entry['sha256']}" in page


def test_a_stranger_is_shown_nothing(make_model, make_version, client_for, stranger, client):
    make_version(make_model("delays"))
    signed_in = client_for(stranger)
    assert "delays" not in signed_in.get("/models/").content.decode()
    for path in PATHS:
        answer = signed_in.get(path)
        assert answer.status_code == 404, path
        elsewhere = signed_in.get(path.replace("delays", "nothing"))
        assert elsewhere.status_code == 404
        assert client.get(path).status_code == 302
    for path in (
        "edit/",
        "access/",
        "access/revoke/",
        "versions/1/edit/",
        "versions/1/verify/",
        "versions/1/retry/",
    ):
        assert (
            signed_in.post(f"/models/delays/{path}", {"description": "mine", "revision": 1}).status_code
            == 404
        ), path


def test_buttons_show_only_what_the_reader_may_do(make_model, make_version, client_for, scientist, reviewer):
    make_version(make_model("delays"))
    own, other = client_for(scientist), client_for(reviewer)
    assert "/models/delays/edit/" in own.get("/models/delays/").content.decode()
    assert "/models/delays/edit/" not in other.get("/models/delays/").content.decode()
    assert "Describe it" not in other.get("/models/delays/versions/1/").content.decode()
    assert other.post("/models/delays/edit/", {"tier": "low", "revision": 1}).status_code == 403
    assert other.get("/models/delays/access/").status_code == 403
    assert (
        other.post("/models/delays/versions/1/edit/", {"description": "x", "revision": 1}).status_code == 403
    )


def test_people_are_named_on_the_edit_page(make_model, client_for, scientist, operator, stranger):
    model = make_model("delays")
    client = client_for(scientist)
    page = client.get("/models/delays/edit/").content.decode()
    assert str(operator.person_id) in page
    assert str(stranger.person_id) not in page
    said = {
        "description": "Late?",
        "tier": "high",
        "owner": scientist.person_id,
        "on_call": operator.person_id,
    }
    answer = client.post("/models/delays/edit/", {**said, "revision": model.rev})
    assert (answer.status_code, answer["Location"]) == (302, "/models/delays/")
    model.refresh_from_db()
    assert (model.tier, model.on_call, model.description) == ("high", operator.person, "Late?")
    assert len(events("registry.model_updated")) == 1


def test_a_stale_edit_loses_nothing_and_shows_both(make_model, client_for, scientist, actor):
    model = make_model("delays")
    services.update_model(actor=actor(scientist), model=model, description="Theirs.")
    answer = client_for(scientist).post(
        "/models/delays/edit/", {"description": "Mine.", "tier": "high", "revision": 1}
    )
    page = answer.content.decode()
    assert answer.status_code == 412
    assert "Theirs." in page
    assert "Mine." in page
    model.refresh_from_db()
    assert model.description == "Theirs."
    again = client_for(scientist).post(
        "/models/delays/edit/", {"description": "Mine.", "tier": "high", "revision": model.rev}
    )
    assert again.status_code == 302


def test_two_people_who_describe_a_version_lose_nothing_typed(
    make_model, make_row, client_for, scientist, actor
):
    version = make_row(make_model())
    door, client = "/models/delays/versions/1/", client_for(scientist)
    form = client.get(door).context["form"]
    seen = {name: form[name].value() for name in ("revision", "seen")}
    services.set_tag(actor=actor(scientist), target=version, key="team", value="ops")
    first = client.post(f"{door}edit/", {"description": "First.", **seen})
    assert first.status_code == 302, "a tag set meanwhile is nothing to ask about"
    late = client.post(f"{door}edit/", {"description": "Second.", **seen})
    assert late.status_code == 412
    assert "Now it says: “First.”" in late.content.decode()
    assert late.context["form"]["description"].value() == "Second."
    again = {name: late.context["form"][name].value() for name in ("description", "revision", "seen")}
    assert client.post(f"{door}edit/", again).status_code == 302
    version.refresh_from_db()
    assert version.description == "Second."


@pytest.mark.parametrize(
    "sent",
    [
        {"tier": "extreme"},
        {"owner": "nobody"},
        {"owner": "01a20766-7a6e-7be9-9b4a-2fceeb9f4e53"},
        {"description": "x" * 5001},
        {"description": "nul\x00"},
        {"revision": "0"},
        {"revision": "99999999999999999999"},
        {"revision": ""},
    ],
)
def test_wrong_forms_are_answered_with_their_errors(make_model, client_for, scientist, sent):
    make_model("delays")
    answer = client_for(scientist).post("/models/delays/edit/", {"tier": "low", "revision": 1, **sent})
    assert answer.status_code == 422
    assert RegisteredModel.objects.get().rev == 1


def test_names_are_shown_as_text_wherever_they_are(make_model, make_version, client_for, scientist, actor):
    evil = "<script>window.__x=1<"
    model = make_model(evil, description="<img src=x onerror=alert(1)>", tags={"<b>": "<i>"})
    version = make_version(model, params={"<b>k": "<i>v"}, tags={"mlflow.source.name": "<u>s"})
    services.set_tag(actor=actor(scientist), target=version, key="<b>", value="<i>")
    client = client_for(scientist)
    from django.urls import reverse

    for address in (
        "/models/",
        reverse("registry:model", args=[evil]),
        reverse("registry:version", args=[evil, 1]),
        reverse("registry:edit-model", args=[evil]),
        reverse("registry:model-access", args=[evil]),
    ):
        page = client.get(address)
        assert page.status_code == 200, address
        for raw in ("<script>window", "<img src=x", "<b>k", "<i>v", "<u>s"):
            assert raw not in page.content.decode(), (address, raw)


@pytest.mark.parametrize("name", ["100% sure?", "a#b", "détour 🛫", "a&b=c", "model+1", "1;2"])
def test_every_name_has_an_address(make_model, make_version, client_for, scientist, name):
    from django.urls import reverse

    make_version(make_model(name))
    client = client_for(scientist)
    listed = client.get("/models/").content.decode()
    address = reverse("registry:model", args=[name])
    assert f'href="{address.replace("&", "&amp;")}"' in listed
    assert client.get(address).status_code == 200
    assert client.get(reverse("registry:version", args=[name, 1])).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/models/a%00b/",
        "/models/delays/versions/0/",
        "/models/delays/versions/99999999999999999999/",
        "/models/delays/versions/x/",
    ],
)
def test_odd_addresses_are_not_found(make_model, client_for, scientist, path):
    make_model("delays")
    assert client_for(scientist).get(path).status_code == 404


@pytest.mark.parametrize(
    "query", ["?before=x", "?after=%00", "?tier=extreme", "?show=all", "?q=%00", "?q=" + "x" * 300]
)
def test_odd_filters_never_break_the_list(make_model, client_for, scientist, query):
    make_model("delays")
    assert client_for(scientist).get(f"/models/{query}").status_code in (200, 400)


def test_a_version_being_hashed_updates_itself(make_model, tracking, client_for, scientist, actor, run_jobs):
    model = make_model("delays")
    services.create_version(actor=actor(scientist), model=model, source=tracking.add_run("r1"))
    client = client_for(scientist)
    page = client.get("/models/delays/versions/1/").content.decode()
    assert "Waiting for a worker" in page
    assert client.get("/models/delays/versions/1/status/?seen=queued-0-").status_code == 204
    assert client.get("/models/delays/versions/1/status/").status_code == 200
    run_jobs()
    finished = client.get("/models/delays/versions/1/status/?seen=queued-0-")
    assert (finished.status_code, finished["HX-Refresh"]) == (286, "true")


def test_failed_and_broken_versions_say_why(make_model, make_version, client_for, scientist, actor, run_jobs):
    model = make_model("delays")
    make_version(model, files={"notes.txt": "x"})
    client = client_for(scientist)
    assert "no MLmodel file" in client.get("/models/delays/versions/1/").content.decode()
    assert client.post("/models/delays/versions/1/retry/").status_code == 302
    run_jobs()
    version = make_version(model)
    services.report_broken(actor=Actor.system(), version=version, path="model.pkl", found="other bytes")
    page = client.get("/models/delays/versions/2/").content.decode()
    assert "Stored files differ from what was registered" in page
    assert "model.pkl: other bytes" in page
    assert client.post("/models/delays/versions/2/verify/").status_code == 302
    run_jobs()
    assert "model.pkl: other bytes" not in client.get("/models/delays/versions/2/").content.decode()


def test_access_is_granted_and_taken_back_on_its_page(make_model, client_for, scientist, stranger, auditor):
    make_model("delays")
    client = client_for(scientist)
    body = {"right": "view", "account": "stranger", "reason": "Helps out."}
    assert client.post("/models/delays/access/", body).status_code == 302
    assert client_for(stranger).get("/models/delays/").status_code == 200
    assert "Helps out." in client_for(auditor).get("/models/delays/access/").content.decode()
    assert client.post("/models/delays/access/revoke/", {**body, "reason": "Done."}).status_code == 302
    assert client_for(stranger).get("/models/delays/").status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"right": "fly"}, 422),
        ({"account": "nobody"}, 422),
        ({"account": ""}, 422),
        ({"group": "reviewer"}, 422),
        ({"reason": ""}, 422),
        ({"expires_at": "2001-01-01T00:00"}, 422),
        ({"expires_at": "soon"}, 422),
        ({"right": "approve", "account": "scientist"}, 403),
    ],
)
def test_wrong_grants_are_answered_on_the_page(make_model, client_for, scientist, stranger, change, status):
    make_model("delays")
    body = {"right": "view", "account": "stranger", "reason": "Helps out.", **change}
    assert client_for(scientist).post("/models/delays/access/", body).status_code == status
    assert not events("registry.right_granted")


def test_the_access_page_tells_whose_grants_count(make_model, client_for, scientist, make_account, actor):
    model = make_model("delays")
    left = make_account("left", "data-scientist")
    grant(actor=actor(scientist), model=model, right="view", account=left, reason="Was here.")
    left.is_active = False
    left.save()
    assert "counts for nobody" in client_for(scientist).get("/models/delays/access/").content.decode()


def test_pages_ask_the_same_number_of_questions_for_1_and_12(
    make_model, make_row, client_for, scientist, actor
):
    client = client_for(scientist)

    def questions(path):
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    def fill(name):
        model = make_model(name)
        version = make_row(model)
        services.move_protected_alias(actor=Actor.system(), model=model, alias="champion", version=version)
        return model

    first = fill("model-0")
    make_row(first)
    paths = ("/models/", "/models/model-0/")
    for path in paths:
        client.get(path)
    before = [questions(path) for path in paths]
    for number in range(1, 12):
        fill(f"model-{number}")
        make_row(first)
    assert [questions(path) for path in paths] == before
