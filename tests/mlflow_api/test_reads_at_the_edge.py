"""What edge answers from the database is what web answers, and nothing more.

Edge says cache-control on its own answers and web does not on these: that tells who answered.
"""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.grants import tables_of
from accounts.models import ApiToken, Membership
from accounts.services import set_active
from controlplane.edge.reads import NAME
from mlflow_api.sight import MODEL_GRANTS
from mlflow_api.statements import ALL_STAGES
from registry import services
from registry.access.models import ModelAccountGrant, ModelGroupGrant
from registry.access.services import grant, revoke
from registry.models import ModelVersion, RegisteredModel
from registry.names import checked_name, normal_name

pytestmark = pytest.mark.django_db(transaction=True)

GET = {
    "registered-models/get": {"name": "delays"},
    "model-versions/get": {"name": "delays", "version": "1"},
    "registered-models/alias": {"name": "delays", "alias": "candidate"},
}
LATEST = "registered-models/get-latest-versions"
PLAIN = [
    *[("GET", address, query) for address, query in GET.items()],
    ("GET", "registered-models/alias", {"name": "delays", "alias": "LATEST"}),
    ("POST", LATEST, {"name": "delays"}),
    ("POST", LATEST, {"name": "delays", "stages": ["Staging", "None"]}),
]
# Right or wrong, but not said plainly, or about what is not there.
NOT_PLAIN = [
    ("GET", "registered-models/get", {"name": "absent"}),
    ("GET", "registered-models/get", {"name": ["delays", "delays"]}),
    ("GET", "registered-models/get", {"name": "delays", "more": "1"}),
    ("GET", "registered-models/get", {}),
    ("GET", "registered-models/get", {"name": "\uff44elays"}),
    ("GET", "registered-models/get", {"name": "a\u200bb"}),
    ("GET", "registered-models/get", {"name": "a/b"}),
    ("GET", "model-versions/get", {"name": "delays", "version": "2"}),
    ("GET", "model-versions/get", {"name": "delays", "version": "one"}),
    ("GET", "model-versions/get", {"name": "delays", "version": "9" * 30}),
    ("GET", "model-versions/get", {"name": "delays", "version": "\u0661"}),
    ("GET", "registered-models/alias", {"name": "delays", "alias": "absent"}),
    ("GET", "registered-models/alias", {"name": "delays", "alias": "a b"}),
    ("GET", LATEST, {"name": "delays"}),
    ("POST", "registered-models/get", {"name": "delays"}),
    ("POST", LATEST, {"name": ["delays"]}),
    ("POST", LATEST, {"name": "delays", "stages": "None"}),
    ("POST", LATEST, {"name": "delays", "stages": ["none"]}),
    ("POST", LATEST, {"name": "delays", "stages": [["None"]]}),
    ("POST", LATEST, {"name": "delays", "stages": ["Other"]}),
    ("POST", LATEST, {"name": "delays", "stages": ["None", "None"]}),
    ("POST", LATEST, {}),
    ("POST", LATEST, {"name": None}),
    ("POST", LATEST, {"stages": ["None"]}),
    *[("POST", LATEST, {"name": "delays", "stages": odd}) for odd in ({}, "", 0, False, None)],
    ("POST", LATEST, b'[["name", "delays"]]'),
    ("POST", LATEST, b'{"name": "delays", "name": "other"}'),
    ("POST", LATEST, b"{" * 3000),
    ("POST", LATEST, b"\xff"),
    ("POST", LATEST, b""),
]


@pytest.fixture
def model(make_model, make_row, actor, scientist):
    model = make_model("delays", tags={"team": "ops", "\u00e9": '\u2603 \\ "'}, description="late?")
    version = make_row(model, run_id="r1", source="runs:/r1/model")
    services.set_tag(actor=actor(scientist), target=version, key="data", value="flights")
    services.set_alias(actor=actor(scientist), model=model, alias="candidate", version=version)
    return model


@pytest.fixture
def answers(ask, token_client):
    """``answers(secret, question)``: status and body through edge and of web alone, and who answered."""

    def both(client, secret, method, address, sent):
        path = f"/api/2.0/mlflow/{address}"
        if method == "GET":
            path, body = f"{path}?{urlencode(sent, doseq=True)}", None
        else:
            body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
        status, headers, content = ask(method, path, body, Authorization=f"Bearer {secret}")
        web = client.generic(
            method, path, body or b"", content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {secret}"
        )
        assert (status, content) == (web.status_code, web.content), (method, address, sent)
        assert headers["content-type"] == "application/json"
        assert headers["x-request-id"]
        assert headers["x-content-type-options"] == "nosniff", "also where web answered"
        return status, "cache-control" in headers

    return both


def test_plain_reads_are_answered_here_as_web_answers_them(
    model, answers, client, token, scientist, reviewer, stranger
):
    for question in PLAIN:
        assert answers(client, token(scientist), *question) == (200, True), question
        assert answers(client, token(reviewer), *question) == (200, True), question
        assert answers(client, token(stranger), *question) == (404, False), question


def test_what_is_not_plain_is_answered_by_web(model, answers, client, token, scientist):
    secret = token(scientist)
    for question in NOT_PLAIN:
        assert answers(client, secret, *question)[1] is False, question


def test_only_a_live_token_that_may_view_reads(
    model, answers, client, token, actor, scientist, admin, stranger
):
    question = PLAIN[0]
    assert answers(client, token(scientist, ["register"]), *question) == (403, False)
    assert answers(client, "", *question) == (401, False)
    assert answers(client, "cp_" + "a" * 49, *question) == (401, False)
    secret, given = (
        token(stranger),
        {"model": model, "right": "view", "reason": "A test.", "account": stranger},
    )
    grant(actor=actor(admin), **given)
    assert answers(client, secret, *question) == (200, True)
    revoke(actor=actor(admin), **given)
    assert answers(client, secret, *question) == (404, False)
    grant(actor=actor(admin), **given, expires_at=timezone.now() + timedelta(hours=1))
    ModelAccountGrant.objects.filter(user=stranger).update(expires_at=timezone.now())
    assert answers(client, secret, *question) == (404, False)
    group = Group.objects.create(name="visitors")
    grant(actor=actor(admin), **{**given, "account": None, "group": group})
    assert answers(client, secret, *question) == (404, False)
    Membership.objects.create(account=stranger, group=group)
    assert answers(client, secret, *question) == (200, True)
    Membership.objects.filter(account=stranger, group=group).delete()
    assert answers(client, secret, *question) == (404, False), "the token was met in the group"
    Membership.objects.create(account=stranger, group=group)
    assert answers(client, secret, *question) == (200, True)
    set_active(actor=actor(admin), account=stranger, is_active=False)
    assert answers(client, secret, *question) == (401, False)


def test_a_model_that_is_gone_is_gone_here(model, answers, client, token, scientist):
    secret = token(scientist)
    RegisteredModel.objects.update(deleted_at=timezone.now())
    for question in PLAIN:
        assert answers(client, secret, *question) == (404, False)


def test_a_use_of_a_token_is_noted(model, answers, client, token, scientist):
    secret = token(scientist)
    ApiToken.objects.update(last_used_at=None)
    answers(client, secret, *PLAIN[0])
    assert ApiToken.objects.get().last_used_at is not None


def test_what_edge_knows_by_itself_is_what_the_registry_says():
    assert tuple(ModelVersion.Stage.values) == ALL_STAGES
    assert tables_of(ModelAccountGrant, ModelGroupGrant) == MODEL_GRANTS
    plain = [chr(code) for code in range(0x300) if NAME.fullmatch(chr(code))]
    assert len(plain) > 80
    assert all(checked_name(f"a{each}") == f"a{each}" == normal_name(f"a{each}") for each in plain)
