"""Where the ``type`` of a problem answer leads."""

import pytest

pytestmark = pytest.mark.django_db


def test_the_type_of_a_problem_leads_to_what_it_means(client, scientist, token_client):
    page = client.get("/docs/problems/")
    assert page.status_code == 200
    machine = token_client(scientist)
    answers = [
        client.get("/api/v1/models"),
        machine.get("/api/v1/models?limit=x"),
        machine.get("/api/v1/models/none"),
        machine.delete("/api/v1/jobs"),
        machine.post("/api/v1/models", "x", "text/plain"),
    ]
    assert [answer.status_code for answer in answers] == [401, 400, 404, 405, 415]
    for answer in answers:
        address, _, anchor = answer.json()["type"].partition("#")
        assert address == "/docs/problems/"
        assert f'id="{anchor}"' in page.content.decode(), answer.json()
