"""Pages of prompts: the text first, and nothing that only a model has."""

import json
import re
from html import unescape
from time import process_time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry import services
from registry.prompts.content import Message, Prompt
from registry.prompts.differences import MOST_LINES, plain_difference, text_difference

pytestmark = pytest.mark.django_db
OF_MODELS = (
    "Hold-out",
    "Schema",
    "Bill of materials",
    "Model card",
    "Safety scan",
    "promoted",
    "On call",
    "Candidate",
)
CHAT = [
    {"role": "system", "content": "You help <b>passengers</b> of {{ carrier }}."},
    {"role": "user", "content": [{"type": "text", "text": "{{question}}"}, {"type": "image_url", "image_url": {"url": "u"}}]},
]  # fmt: skip


def seen(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def words(page):
    """What a person reads in the middle of the page."""
    main = page[page.index("<main") : page.index("</main>")]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


def test_a_version_shows_its_text_its_variables_and_how_to_load_it(make_prompt, client_for, scientist, actor):
    model = make_prompt("ask", "Say {{ what }} to {{who}}, {{what}}.", description="Be short.", team="ops")
    services.set_alias(actor=actor(scientist), model=model, alias="best", version=model.versions.get())
    page = seen(client_for(scientist), "/models/ask/versions/1/")
    assert "Say <mark>what</mark> to <mark>who</mark>, <mark>what</mark>." in page
    assert page.count("<li><code>what</code></li>") == 1
    assert "mlflow.genai.load_prompt(&quot;prompts:/ask/1&quot;)" in page
    assert "mlflow.genai.load_prompt(&quot;prompts:/ask@best&quot;)" in page
    assert "prompt.format(what=&quot;…&quot;, who=&quot;…&quot;)" in page
    read = words(page)
    assert read.index("Say what to") < read.index("What is new in it Be short.")
    assert "Prompt best" in read
    assert "team ops" in read
    for machine in (*OF_MODELS, "mlflow.prompt", "_mlflow", "dummy-source", "Flavours", "is not known"):
        assert machine not in read, machine


def test_a_chat_shows_who_says_what_and_what_goes_with_it(make_prompt, client_for, scientist):
    config = {"model_name": "m-1", "max_tokens": 400, "stop_sequences": ["END", "STOP"]}
    make_prompt(
        "chat",
        CHAT,
        _mlflow_prompt_response_format='{"type": "object"}',
        _mlflow_prompt_model_config=json.dumps(config),
    )
    page = seen(client_for(scientist), "/models/chat/versions/1/")
    assert "You help &lt;b&gt;passengers&lt;/b&gt; of <mark>carrier</mark>." in page
    read = words(page)
    assert "a chat of 2 messages" in read
    assert "user question" in read
    assert "image_url" in read
    assert "Model name m-1 Max tokens 400 Stop sequences END, STOP" in read
    assert "Response format" in read


@pytest.mark.parametrize(
    "text", ["no JSON", "[1, 2]", "{}", "[]", "[" * 5000, '["x"]', '[{"content": "\\ud800"}]']
)
def test_a_chat_that_is_no_list_of_messages_is_shown_as_it_stands(text, make_prompt, client_for, scientist):
    make_prompt("odd", text, _mlflow_prompt_type="chat", _mlflow_prompt_model_config='{"a": "\\ud800"}')
    page = seen(client_for(scientist), "/models/odd/versions/1/")
    assert words(page).count(text[:50]) >= 1
    assert "a chat of" not in page


def test_what_no_eye_sees_is_shown(make_prompt, client_for, scientist):
    """A reader who decides on a text reads what a program gets."""
    make_prompt("odd", "say \u202e{{what}}\u200b ok \u062e\u200c\u0648 \U0001f468\u200d\U0001f680\n")
    page = seen(client_for(scientist), "/models/odd/versions/1/")
    assert "say ⟨U+202E⟩<mark>what</mark>⟨U+200B⟩ ok \u062e\u200c\u0648 \U0001f468\u200d\U0001f680" in page
    assert 'data-copy="say \u202e' in page
    assert "what no eye sees" in page
    assert "⟨U+202E⟩" in seen(client_for(scientist), "/models/odd/")


def test_a_prompt_lists_its_versions_with_their_words(make_prompt, client_for, scientist):
    make_prompt("ask", "Say {{what}}.", "Shout\n{{what}}, " + "long " * 100, description="Louder now.")
    make_prompt("empty")
    page = seen(client_for(scientist), "/models/ask/")
    read = words(page)
    assert "What v2 says" in read
    assert "Louder now." in read
    assert "Say {{what}}." in read
    assert "Shout {{what}}, long long" in read
    for machine in (*OF_MODELS, "mlflow.prompt", "Serving", "Trained on"):
        assert machine not in read, machine
    assert "register_prompt(&quot;empty&quot;" in seen(client_for(scientist), "/models/empty/")


def test_a_refused_description_keeps_the_prompts_page(make_prompt, client_for, scientist):
    model = make_prompt("ask", "Say {{what}}.")
    client = client_for(scientist)
    rev = model.versions.get().rev
    wrong = client.post("/models/ask/versions/1/edit/", {"description": "x" * 5001, "revision": rev})
    assert wrong.status_code == 422
    assert "<mark>what</mark>" in wrong.content.decode()
    right = client.post("/models/ask/versions/1/edit/", {"description": "Shorter.", "revision": rev})
    assert right.status_code == 302
    assert "Shorter." in words(seen(client, "/models/ask/versions/1/"))


def test_two_versions_are_compared_by_their_words(make_prompt, client_for, scientist):
    make_prompt(
        "ask", "Be kind.\nSay {{what}} now.\nEnd.", "Be kind.\nSay {{what}} to {{who}} now.\nEnd.", team="ops"
    )
    page = seen(client_for(scientist), "/models/ask/compare/?a=1&b=2")
    assert "<ins>to {{who}} </ins>" in page
    read = words(page)
    assert read.index("Say {{what}}") < read.index("Variables") < read.index("Tags")
    assert "whoever fills v2 in has to give more" in read
    assert "New who In both what" in read
    for machine in (
        "Better?",
        "Signature",
        "Requirements",
        "Model card",
        "Metric",
        "mlflow.prompt",
        "Score both",
    ):
        assert machine not in read, machine
    assert (
        "Choose two versions below"
        in client_for(scientist).get("/models/ask/compare/?a=1&b=x").content.decode()
    )


def test_a_stranger_learns_nothing_of_prompts(make_prompt, client_for, stranger, scientist):
    make_prompt("ask", "Say {{what}}.", "Shout {{what}}.")
    client = client_for(stranger)
    for path in ("", "versions/1/", "versions/2/", "compare/?a=1&b=2"):
        answer = client.get(f"/models/ask/{path}")
        assert answer.status_code == 404, path
        assert b"{{what}}" not in answer.content
        assert client_for(scientist).get(f"/models/ask/{path}").status_code == 200, path


def test_pages_ask_as_much_for_twelve_versions_as_for_one(make_prompt, client_for, scientist):
    make_prompt("one", "Say {{what}}.")
    make_prompt("many", *(f"Say {{{{what}}}} {index} times." for index in range(12)))
    client = client_for(scientist)
    counts = []
    for path in ("/models/one/", "/models/many/", "/models/one/versions/1/", "/models/many/versions/12/"):
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            seen(client, path)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[2] == counts[3]


def test_aliases_and_tags_of_prompts_change_in_the_browser(make_prompt, client_for, scientist, stranger):
    model = make_prompt("ask", "Say {{what}}.", "Shout {{what}}.")
    client, first = client_for(scientist), "/models/ask/versions/1/"
    page = seen(client, first)
    assert "/promote/" not in page
    assert f'href="{first}delete/"' in page
    assert client.post(f"{first}aliases/set/", {"alias": "best"}).status_code == 302
    assert client.post("/models/ask/tags/set/", {"key": "team", "value": "ops"}).status_code == 302
    read = words(seen(client, "/models/ask/"))
    assert "best v1" in read
    assert "team ops" in read
    refused = client.post(f"{first}aliases/set/", {"alias": "v1"})
    assert refused.status_code == 422
    assert "<mark>what</mark>" in refused.content.decode()
    assert 'aria-invalid="true"' in refused.content.decode()
    wrong = client.post("/models/ask/tags/remove/", {"key": "mlflow.prompt.is_prompt"})
    assert wrong.status_code == 422
    assert "What v2 says" in words(wrong.content.decode())
    assert model.tags.filter(key="mlflow.prompt.is_prompt").exists()
    for path in (f"{first}aliases/set/", "/models/ask/tags/remove/"):
        assert client_for(stranger).post(path, {"alias": "best", "key": "team"}).status_code == 404


def shown(difference):
    return [
        (line.sign, "".join(f"[{text}]" if changed else text for text, changed in line.words))
        for line in difference.lines
    ]


def test_a_changed_line_stands_below_what_it_was():
    difference = plain_difference(
        "Say it in one word.\nEnd.", "You are kind.\nSay it in two short words.\nEnd."
    )
    assert shown(difference) == [
        ("+", "You are kind."),
        ("-", "Say it in [one word]."),
        ("+", "Say it in [two short words]."),
        (" ", "End."),
    ]
    assert (difference.added, difference.removed) == (2, 1)


def test_who_speaks_counts_as_a_line():
    before = Prompt("", [Message("user", "Hello")], is_chat=True)
    after = Prompt("", [Message("system", "Be kind."), Message("user", "Hello")], is_chat=True)
    assert shown(text_difference(before, after)) == [
        ("+", "system"),
        ("+", "Be kind."),
        (" ", "user"),
        (" ", "Hello"),
    ]
    assert text_difference(after, after).is_same
    assert not text_difference(Prompt("", [Message("", "user")]), Prompt("", [Message("user", "")])).is_same


def test_long_texts_show_what_is_near_a_change_and_say_where_they_were_cut():
    lines = [f"line {index}" for index in range(MOST_LINES + 5)]
    changed = [*lines[:700], "another one", *lines[701:]]
    difference = plain_difference("\n".join(lines), "\n".join(changed))
    assert difference.is_cut
    assert shown(difference)[0] == ("@", "")
    assert len(difference.lines) < 12
    assert plain_difference("a", "a").lines


@pytest.mark.parametrize(
    "a", ["a b " * 12_000, "a\nb\n" * 12_000, "\n".join("a b " * 90 for _ in range(140))]
)
def test_texts_made_to_be_slow_are_compared_soon(a):
    started = process_time()
    plain_difference(a, a.replace("b", "c"))
    assert process_time() - started < 5


def test_a_text_whose_stored_file_changed_is_called_so(make_prompt, client_for, scientist):
    model = make_prompt("ask", "Say {{what}}.")
    model.versions.update(integrity_failure="prompt.json: hashes to something else")
    read = words(seen(client_for(scientist), "/models/ask/versions/1/"))
    assert read.index("The stored text differs") < read.index("Say what")
    assert "Text changed" in words(seen(client_for(scientist), "/models/ask/"))


def test_a_deleted_version_of_a_prompt_leaves_its_tombstone(make_prompt, client_for, scientist, actor):
    model = make_prompt("ask", "Say {{what}}.", "Shout {{what}}.")
    services.delete_version(actor=actor(scientist), version=model.versions.get(number=1), reason="Too mild.")
    client = client_for(scientist)
    assert "Too mild." in words(seen(client, "/models/ask/"))
    assert "Say {{what}}" not in seen(client, "/models/ask/")
    assert "Compare with" not in seen(client, "/models/ask/versions/2/")
