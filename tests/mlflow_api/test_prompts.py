"""Prompts: registered models whose versions are texts; as fixed and as guarded as any other."""

import json
import uuid

import pytest

from audit.models import Event
from core.errors import Conflict
from core.object_store import store
from deployments.services import require_deployable
from registry.integrity import DigestMismatch, verify
from registry.models import ModelVersion, RegisteredModel

pytestmark = pytest.mark.django_db

PROMPT = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
TEXT = {"key": "mlflow.prompt.text", "value": "Say {{what}}."}


@pytest.fixture
def mine(surface, scientist):
    mine = surface(scientist)
    mine.post("registered-models/create", name="ask", tags=PROMPT)
    mine.post("registered-models/create", name="delays")
    return mine


def register(mine, name="ask", tags=(*PROMPT, TEXT), **more):
    return mine.post("model-versions/create", name=name, source="prompt-template", tags=list(tags), **more)


def test_a_prompts_version_is_ready_at_once_and_hashed(mine):
    status, body = register(mine, description="first")
    version = body["model_version"]
    assert (status, version["version"], version["status"], version["description"]) == (
        200,
        "1",
        "READY",
        "first",
    )
    row = ModelVersion.objects.get()
    assert [each["path"] for each in row.manifest] == ["prompt.json"]
    assert register(mine)[1]["model_version"]["version"] == "2"
    assert len(set(ModelVersion.objects.values_list("digest", flat=True))) == 1
    verify(row)
    place = store().path_for(row.manifest[0]["sha256"])
    place.chmod(0o600)
    place.write_bytes(b"something else")
    with pytest.raises(DigestMismatch):
        verify(row)
    assert Event.objects.filter(body__contains='"registry.version_created"').count() == 2


def test_what_a_prompts_version_says_never_changes(mine):
    register(mine)
    about = {"name": "ask", "version": "1"}
    change = mine.post("model-versions/set-tag", **about, key=TEXT["key"], value="Shout.")
    assert (change[0], change[1]["error_code"]) == (409, "RESOURCE_CONFLICT")
    for key in ("mlflow.prompt.text", "mlflow.prompt.is_prompt"):
        assert mine.delete("model-versions/delete-tag", **about, key=key)[0] == 409
    assert mine.post("model-versions/set-tag", **about, **TEXT)[0] == 200
    assert mine.post("model-versions/set-tag", **about, key="team", value="ops")[0] == 200
    assert mine.delete("model-versions/delete-tag", **about, key="team")[0] == 200


def test_what_is_no_prompt_is_refused(mine, subtests):
    for name, tags in (
        ("delays", [*PROMPT, TEXT]),
        ("ask", []),
        ("ask", PROMPT),
        ("ask", [{**TEXT, "value": ""}]),
    ):
        with subtests.test(name=name, tags=str(tags)[:60]):
            status, body = register(mine, name, tags)
            assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert not ModelVersion.objects.exists()


def test_what_has_versions_stays_what_it_is(mine):
    """Else the files and gates of a model vanish behind a text, and texts become versions of a model."""
    register(mine)
    is_prompt = PROMPT[0]
    assert mine.delete("registered-models/delete-tag", name="ask", key=is_prompt["key"])[0] == 409
    assert mine.post("registered-models/set-tag", name="ask", key=is_prompt["key"], value="no")[0] == 409
    assert mine.post("registered-models/set-tag", name="ask", **is_prompt)[0] == 200, "it says so already"
    assert mine.post("registered-models/set-tag", name="delays", **is_prompt)[0] == 200, "it has no versions"
    assert mine.delete("registered-models/delete-tag", name="delays", key=is_prompt["key"])[0] == 200
    RegisteredModel.objects.filter(name="delays").update(next_number=2)
    assert mine.post("registered-models/set-tag", name="delays", **is_prompt)[0] == 409


def test_a_prompt_is_not_deployed(mine):
    register(mine)
    with pytest.raises(Conflict, match="is a prompt"):
        require_deployable(ModelVersion.objects.get())


def test_a_prompt_of_somebody_else_does_not_exist(mine, surface, make_account, stranger):
    register(mine)
    for account in (make_account("colleague", "data-scientist"), stranger):
        theirs = surface(account)
        assert register(theirs)[0] == 404
        assert theirs.get("model-versions/get", name="ask", version="1")[0] == 404
        asked = theirs.get("registered-models/search", filter="tags.`mlflow.prompt.is_prompt` = 'true'")
        assert asked == (200, {"registered_models": []})


@pytest.mark.django_db(transaction=True)
def test_the_client_reads_what_was_written_in_the_browser_and_writes_the_same(sign_in, scientist, client_for):
    import mlflow

    sign_in(scientist)
    browser, name = client_for(scientist), f"ask-{uuid.uuid4().hex[:8]}"

    def write(address, **typed):
        seen = browser.post(address, {**typed, "step": "preview"}).context["look"]
        answer = browser.post(address, {**typed, "step": "register", "seen": seen})
        assert answer.status_code == 302, answer.content

    text = 'Say {{ what }} to {{who}},\n  \u00fcber 5 % \\ "x".'
    write(
        "/prompts/new/",
        name=name,
        kind="text",
        text=text.replace("\n", "\r\n"),
        tags="team: ops",
        message="First.",
    )
    read = mlflow.genai.load_prompt(f"prompts:/{name}/1")
    assert (read.template, read.commit_message, read.tags) == (text, "First.", {"team": "ops"})
    assert read.format(what="hi", who="all") == text.replace("{{ what }}", "hi").replace("{{who}}", "all")
    turns = [{"role": "system", "content": "Be kind, \u00fc."}, {"role": "user", "content": "{{q}}"}]
    typed = {f"turn{at}-{key}": value for at, turn in enumerate(turns) for key, value in turn.items()}
    goes_with = {
        "response_format": {"type": "object"},
        "model_config": {"model_name": "m-1", "temperature": 0.2},
    }
    said = {key: json.dumps(value, indent=2) for key, value in goes_with.items()}
    write(f"/models/{name}/versions/new/", kind="chat", turns="2", **typed, **said)
    read = mlflow.genai.load_prompt(f"prompts:/{name}@latest")
    assert (read.template, read.response_format, read.model_config) == (turns, *goes_with.values())
    assert read.format(q="Why?")[1] == {"role": "user", "content": "Why?"}
    mlflow.genai.register_prompt(name, turns, **goes_with)
    digests = ModelVersion.objects.filter(number__gt=1).values_list("digest", flat=True)
    assert len(digests) == 2
    assert len(set(digests)) == 1, "the same content is the same file, whoever wrote it"
    page = browser.get(f"/models/{name}/versions/new/").content.decode()
    assert "Be kind, \u00fc.</textarea>" in page
