"""Prompts written in the browser: typed, looked at beside what they replace, then registered."""

import json
import re
import threading

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from accounts.actors import actor_for
from audit.models import Event
from core.errors import PreconditionFailed
from registry import services
from registry.access.services import grant
from registry.models import ModelVersion, RegisteredModel
from registry.prompts.content import prompt_of
from registry.prompts.writing import Draft, content_tags, draft_of
from registry.services.prompts import create_prompt_version

pytestmark = pytest.mark.django_db
NEW, NEXT = "/prompts/new/", "/models/ask/versions/new/"
TYPED = {
    "name": "ask",
    "kind": "text",
    "text": "Say {{ what }}.\r\nThen {{stop}}. ",
    "tags": "team: ops\n\nkind:a:b",
}


def sent(client, address, step="", **fields):
    """One press of a button: the answer and its page."""
    answer = client.post(address, {"step": step, **fields})
    return answer, answer.content.decode()


def look(page):
    """What the page says was looked at."""
    return re.search(r'name="seen" value="([0-9a-f]*)"', page)[1]


def register(client, address, **fields):
    """Looked at, and then registered."""
    seen = look(sent(client, address, "preview", **fields)[1])
    assert seen
    return sent(client, address, "register", **fields, seen=seen)


def tags_of(thing):
    return {tag.key: tag.value for tag in thing.tags.all()}


def test_a_prompt_is_looked_at_and_then_registered(client_for, scientist):
    client = client_for(scientist)
    assert client.get(NEW).status_code == 200
    answer, page = sent(client, NEW, "preview", **TYPED)
    assert answer.status_code == 200
    assert "Say <mark>what</mark>.\nThen <mark>stop</mark>. " in page
    assert "2 variables to fill in" in page
    unseen, page = sent(client, NEW, "register", **TYPED)
    assert unseen.status_code == 422
    assert "Look at what changes below" in page
    assert not RegisteredModel.objects.exists()
    answer, _ = sent(
        client, NEW, "register", **TYPED, seen=look(page), description="Asks.", message="First words."
    )
    assert answer["Location"] == "/models/ask/versions/1/"
    version = ModelVersion.objects.get()
    assert prompt_of(version).raw == "Say {{ what }}.\nThen {{stop}}. "
    assert (version.description, version.model.description, version.status) == (
        "First words.",
        "Asks.",
        "READY",
    )
    people = {"team": "ops", "kind": "a:b"}
    assert people.items() <= tags_of(version).items()
    assert tags_of(version.model) == people | {"mlflow.prompt.is_prompt": "true"}
    actions = [json.loads(body)["action"] for body in Event.objects.values_list("body", flat=True)]
    assert actions.count("registry.model_created") == actions.count("registry.version_created") == 1


def test_the_next_version_begins_with_the_newest_and_shows_what_it_changes(
    make_prompt, client_for, scientist
):
    settings = {
        "_mlflow_prompt_response_format": '{"type": "object"}',
        "_mlflow_prompt_model_config": '{"top_k": 3}',
    }
    make_prompt("ask", "Say {{what}}.", "Shout {{what}}.", **settings)
    client = client_for(scientist)
    page = client.get(NEXT).content.decode()
    assert "Shout {{what}}.</textarea>" in page
    assert "&quot;top_k&quot;: 3" in page
    assert "Say {{what}}.</textarea>" in client.get(f"{NEXT}?from=1").content.decode()
    typed = {
        "kind": "text",
        "text": "Shout {{what}} to {{who}}.",
        "response_format": '{"type": "object"}',
        "model_config": '{"top_k": 4}',
        "tags": "team: new",
    }
    _, page = sent(client, NEXT, "preview", **typed)
    assert "v3 against v2" in page
    said = re.sub(r"</?ins>", "", page.split('id="difference"')[1])
    assert "Shout {{what}} to {{who}}." in said
    assert "<ins>" in page
    assert "<dt>New variables</dt><dd><code>who</code></dd>" in page
    assert "Response format" not in page.split('id="preview"')[1]
    assert "Top k" in page.split('id="preview"')[1]
    answer, _ = register(client, NEXT, **typed)
    assert answer["Location"] == "/models/ask/versions/3/"
    version = ModelVersion.objects.get(number=3)
    assert tags_of(version)["_mlflow_prompt_model_config"] == '{"top_k": 4}'
    assert tags_of(version.model)["team"] == "new"


def test_the_same_text_again_is_nothing_to_register(make_prompt, client_for, scientist):
    make_prompt("ask", "Say {{what}}.")
    answer, page = register(client_for(scientist), NEXT, kind="text", text="Say {{what}}.")
    assert answer.status_code == 422
    assert "It says the same as v1" in page
    assert ModelVersion.objects.count() == 1


def test_a_second_click_leads_to_what_the_first_has_made(client_for, scientist):
    client = client_for(scientist)
    for address, number, text in ((NEW, 1, "One {{x}}."), (NEXT, 2, "Two {{x}}.")):
        typed = {**TYPED, "text": text}
        seen = look(sent(client, address, "preview", **typed)[1])
        clicks = [sent(client, address, "register", **typed, seen=seen)[0] for _ in range(2)]
        assert [each["Location"] for each in clicks] == [f"/models/ask/versions/{number}/"] * 2
    assert ModelVersion.objects.count() == 2


def test_what_was_not_looked_at_is_not_registered(make_prompt, client_for, scientist):
    """Neither a text that was changed after its preview, nor one compared with a version that is no longer the newest."""
    model = make_prompt("ask", "Say {{what}}.")
    client, typed = client_for(scientist), {"kind": "text", "text": "Shout."}
    seen = look(sent(client, NEXT, "preview", **typed)[1])
    answer, page = sent(client, NEXT, "register", kind="text", text="Whisper.", seen=seen)
    assert answer.status_code == 422
    assert "It is not what you looked at" in page
    assert "Whisper.</textarea>" in page
    make = {"actor": actor_for(scientist), "model": model, "source": "dummy-source"}
    create_prompt_version(**make, tags=content_tags(Draft(text="Sing.")))
    answer, page = sent(client, NEXT, "register", **typed, seen=seen)
    assert answer.status_code == 422
    assert "v3 against v2" in page
    assert ModelVersion.objects.count() == 2
    answer, _ = sent(client, NEXT, "register", **typed, seen=look(page))
    assert answer["Location"] == "/models/ask/versions/3/"
    with pytest.raises(PreconditionFailed):
        services.write_prompt_version(
            actor=actor_for(scientist), model=model, content=content_tags(Draft(text="x")), tags={}, after=2
        )


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": "a/b"}, "id_name", "A prompt&#x27;s name has letters"),
        ({"name": ""}, "id_name", "This field is required."),
        ({"name": "taken"}, "id_name", "already exists"),
        ({"text": " \n "}, "id_text", "Write what the prompt says."),
        ({"text": "x" * 100_001}, "id_text", "at most 100000 characters"),
        ({"text": "a\x00b"}, "id_text", "Null characters"),
        ({"tags": "nonsense"}, "id_tags", "Line 1 is no tag"),
        ({"tags": "a: 1\nmlflow.x: 2"}, "id_tags", "Line 2: keys that begin with mlflow. are kept for programs."),
        ({"tags": "a: 1\na: 2"}, "id_tags", "Line 2 names a a second time."),
        ({"tags": f"{'k' * 251}: 1"}, "id_tags", "Line 1: key is 251 characters long"),
        ({"tags": "\n".join(f"k{each}: v" for each in range(21))}, "id_tags", "21 tags; at most 20"),
        ({"response_format": "{"}, "id_response_format", "This is not JSON (line 1)."),
        ({"response_format": "[1]"}, "id_response_format", "no object"),
        ({"response_format": '{"a": NaN}'}, "id_response_format", "only finite numbers"),
        ({"response_format": "[" * 5000}, "id_response_format", "This is not JSON"),
        ({"model_config": '{"temperature": -1}'}, "id_model_config", "Temperature must be a number of at least 0."),
        ({"model_config": '{"top_p": 2}'}, "id_model_config", "Top_p must be a number from 0 to 1."),
        ({"model_config": '{"max_tokens": 1.5}'}, "id_model_config", "Max_tokens must be a whole number"),
        ({"model_config": '{"stop_sequences": [1]}'}, "id_model_config", "must be a list of texts"),
        ({"message": "a\u202eb"}, "id_message", "U+202E"),
        ({"description": "x" * 5001}, "id_description", "at most 5000"),
        ({"kind": "song"}, "", "Select a valid choice"),
        ({"kind": "chat", "turns": "1", "turn0-role": "user"}, "id_turn0-content", "Write at least one message."),
        ({"kind": "chat", "turns": "1", "turn0-role": "a b", "turn0-content": "x"}, "id_turn0-role", "Select a valid choice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    fields, field, words, make_model, client_for, scientist
):
    make_model("taken")
    client = client_for(scientist)
    typed = {**TYPED, **fields}
    seen = look(sent(client, NEW, "preview", **typed)[1]) or "0" * 64
    answer, page = sent(client, NEW, "register", **typed, seen=seen)
    assert answer.status_code == 422
    assert words in page
    if field:
        assert f'id="{field}_error"' in page
        assert re.search(rf'aria-invalid="true"[^>]*id="{field}"|id="{field}"[^>]*aria-invalid="true"', page)
    for name in {"text", "tags", "response_format", "message"} & typed.keys():
        kept = str(typed[name]).replace("\r\n", "\n")
        shown = {
            each: answer.context["form"][each].value()
            for each in typed
            if each in answer.context["form"].fields
        }
        assert shown[name].replace("\r\n", "\n") == kept
    assert RegisteredModel.objects.count() == 1


def test_a_chat_is_written_message_by_message(client_for, scientist):
    client = client_for(scientist)
    typed = {"name": "chat", "kind": "chat", "turns": "2", "tags": "team: ops"}
    turns = {
        "turn0-role": "system",
        "turn0-content": "Be kind.",
        "turn1-role": "user",
        "turn1-content": "{{q}}",
    }
    answer, page = sent(client, NEW, "more", **typed, **turns)
    assert answer.status_code == 200
    assert 'name="turns" value="3"' in page
    assert '<option value="assistant" selected>' in page.split('id="id_turn2-role"')[1]
    assert "Be kind.</textarea>" in page
    assert "team: ops</textarea>" in page
    assert 'class="error"' not in page, "nothing is judged before it is sent"
    more = {
        "turns": "4",
        "turn2-role": "assistant",
        "turn2-content": " \n",
        "turn3-role": "developer",
        "turn3-content": "Ok\r\n",
    }
    answer, _ = register(client, NEW, **{**typed, **turns, **more})
    assert answer["Location"] == "/models/chat/versions/1/"
    raw = prompt_of(ModelVersion.objects.get()).raw
    said = [("system", "Be kind."), ("user", "{{q}}"), ("developer", "Ok\n")]
    assert raw == json.dumps([{"role": role, "content": content} for role, content in said])
    page = client.get("/models/chat/versions/new/").content.decode()
    assert '<option value="developer" selected>' in page
    sent_many = {**typed, **turns, "turns": "999"}
    assert len(sent(client, NEW, "preview", **sent_many)[0].context["form"].turn_forms) == 50
    assert "Another message" not in sent(client, NEW, "more", **sent_many)[1]


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}],
        [{"role": "assistant", "content": "x", "tool_calls": []}],
        [{"role": "user", "content": "x"}] * 51,
    ],
)
def test_what_the_form_cannot_hold_is_said_and_not_dropped(messages, make_prompt, client_for, scientist):
    make_prompt("ask", messages)
    page = client_for(scientist).get(NEXT).content.decode()
    assert "cannot be written on from here" in page
    assert draft_of(ModelVersion.objects.get()) is None


def test_who_may_not_register_writes_nothing(
    make_prompt, make_model, client_for, stranger, reviewer, scientist, actor
):
    model = make_prompt("ask", "Say {{what}}.")
    typed = {"kind": "text", "text": "Shout."}
    for who in (stranger, reviewer):
        client = client_for(who)
        for answer in (client.get(NEW), client.post(NEW, {**TYPED, "step": "register"})):
            assert answer.status_code == 403, who
    hidden = client_for(stranger)
    for answer in (hidden.get(NEXT), hidden.post(NEXT, typed)):
        assert answer.status_code == 404
        assert "Say" not in answer.content.decode()
    grant(actor=actor(scientist), model=model, right="view", account=stranger, reason="Reads.")
    for answer in (hidden.get(NEXT), hidden.post(NEXT, {**typed, "step": "register"})):
        assert answer.status_code == 403
    assert "New version…" not in hidden.get("/models/ask/").content.decode()
    assert "Write on from it…" not in hidden.get("/models/ask/versions/1/").content.decode()
    assert Event.objects.filter(body__contains='"registry.require_writing"').count() >= 2
    assert ModelVersion.objects.count() == 1
    make_model("delays")
    mine = client_for(scientist)
    assert mine.get("/models/delays/versions/new/").status_code == 404
    for wrong in ("x", "9", "²", "99999999999"):
        assert mine.get(NEXT, {"from": wrong}).status_code == 404, wrong
    for address, words in (("/models/", "New prompt…"), ("/models/ask/", "New version…")):
        assert words in mine.get(address).content.decode()


def test_a_name_that_is_hidden_is_taken_and_its_text_is_not_shown(make_prompt, make_account, client_for):
    make_prompt("ask", "Say the secret.")
    other = client_for(make_account("colleague", "data-scientist"))
    answer, page = register(other, NEW, **TYPED)
    assert answer.status_code == 422
    assert "already exists" in page
    assert "secret" not in page


def test_while_it_is_typed_the_preview_follows(make_prompt, client_for, scientist):
    make_prompt("ask", "Say {{what}}.")
    client, head = client_for(scientist), {"HX-Request": "true"}
    part = client.post(NEXT, {"kind": "text", "text": "Say {{which}}.", "tags": "x"}, headers=head)
    page = part.content.decode()
    assert part.status_code == 200, "what is wrong elsewhere does not hold up the preview"
    assert "<mark>which</mark>" in page
    assert "<html" not in page
    assert len(look(page)) == 64
    part = client.post(NEW, {"kind": "text", "text": ""}, headers=head).content.decode()
    assert look(part) == ""


def test_many_versions_cost_the_page_what_one_does(make_prompt, client_for, scientist):
    make_prompt("ask", "Say 0.")
    client = client_for(scientist)

    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(NEXT).status_code == 200
        return len(queries)

    cost()
    before = cost()
    model = RegisteredModel.objects.get()
    for number in range(11):
        create_prompt_version(
            actor=actor_for(scientist),
            model=model,
            source="dummy-source",
            tags=content_tags(Draft(text=f"Say {number + 1}.")),
        )
    assert cost() == before


@pytest.mark.django_db(transaction=True)
def test_of_two_who_compared_with_the_same_version_one_registers(make_prompt, scientist):
    model = make_prompt("ask", "Say.")
    outcomes, ready = [], threading.Barrier(2)

    def write(text):
        try:
            ready.wait(10)
            services.write_prompt_version(
                actor=actor_for(scientist),
                model=model,
                content=content_tags(Draft(text=text)),
                tags={"by": text},
                after=1,
            )
            outcomes.append("registered")
        except PreconditionFailed:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=(text,)) for text in ("Shout.", "Sing.")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["refused", "registered"]
    assert ModelVersion.objects.count() == 2
    newest = ModelVersion.objects.get(number=2)
    assert tags_of(newest.model)["by"] == tags_of(newest)["by"] == prompt_of(newest).raw
