"""U+0000, which PostgreSQL can neither keep nor look up: refused at every door, never a 500."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DataError

from accounts.models import Account
from core.actors import Actor
from core.middleware import Refusals
from deployments.models import Endpoint, Environment, Target
from registry.models import RegisteredModel
from tests.registry.conftest import make_model, make_row, tracking  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.mark.parametrize("field", ["owner", "on_call"])
def test_people_of_a_model(make_model, token_client, scientist, field):
    client = token_client(scientist)
    answer = client.post("/api/v1/models", {"name": "other", field: "\x00"}, JSON)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, f"/{field}")
    make_model("delays")
    tag = client.get("/api/v1/models/delays")["ETag"]
    answer = client.patch("/api/v1/models/delays", {field: "a\x00"}, JSON, headers={"If-Match": tag})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, f"/{field}")
    assert RegisteredModel.objects.count() == 1


def test_questions_of_rest(make_model, token_client, scientist, auditor):
    Endpoint.objects.create(
        model=make_model("delays"),
        environment=Environment.objects.get(name="production"),
        target=Target.objects.first(),
    )
    drift = token_client(scientist).get("/api/v1/monitoring/models/delays/drift?feature=%00")
    assert (drift.status_code, drift.json()["errors"][0]["pointer"]) == (400, "/feature")
    proof = token_client(auditor).get("/api/v1/audit/proof/inclusion?event=%00")
    assert (proof.status_code, proof.json()["errors"][0]["pointer"]) == (400, "/event")


def test_pages(make_model, make_row, client_for, scientist, admin):
    make_row(make_model("delays"))
    page = "/models/delays/versions/1/promote/?environment=%00"
    assert client_for(scientist).get(page).status_code == 404
    chief, role = client_for(admin), {"role": "reviewer", "reason": "Because."}
    assert chief.get("/admin/people/%00/").status_code == 404
    assert chief.post("/admin/people/%00/roles/give/", role).status_code == 404
    assert chief.post("/admin/people/%00/deactivate/", role).status_code == 404


@pytest.mark.parametrize(
    ("address", "kind", "says"),
    [
        ("/models/?q=%00", "text/html", "q holds U+0000"),
        ("/api/v1/models?q=a%00", "application/problem+json", "q holds U+0000"),
        ("/api/v1/models", "application/problem+json", "The request holds U+0000"),
    ],
)
def test_a_door_that_forgot_still_refuses(address, kind, says, rf):
    """What the database driver raises is an answer of 400 that names the field where it can."""
    with pytest.raises(DataError) as raised:
        Account.objects.filter(username="\x00").first()
    request = rf.get(address)
    request.user, request.actor = AnonymousUser(), Actor.anonymous()
    answer = Refusals(lambda _: None).process_exception(request, raised.value)
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith(kind)
    assert says in answer.content.decode()


def test_other_errors_of_data_stay_bugs(rf):
    assert Refusals(lambda _: None).process_exception(rf.get("/"), DataError("out of range")) is None
