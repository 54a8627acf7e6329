"""What stands in docs/reference/ is what the code does; a change of REST is seen by a reviewer."""

import pytest
import yaml
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from tools.reference import FOLDER, pages


def test_the_reference_is_up_to_date():
    """If REST was meant to change: python tools/reference.py, and look at the difference."""
    for name, text in pages().items():
        assert (FOLDER / name).read_text() == text, f"run: python tools/reference.py ({name} differs)"


def test_the_document_is_openapi_3_1_without_a_guess(capsys):
    """A warning means that the generator guessed, so the document would not be true."""
    GENERATOR_STATS.reset()
    made = SchemaGenerator().get_schema(request=None, public=True)
    assert made["openapi"].startswith("3.1")
    assert not capsys.readouterr().err
    names = [operation["operationId"] for item in made["paths"].values() for operation in item.values()]
    assert len(set(names)) == len(names)
    assert not [path for path in made["paths"] if path.endswith("/")]


def test_every_change_promises_the_conventions():
    """Refusals as problem documents; If-Match on changes; a key on what creates."""
    document = yaml.safe_load((FOLDER / "openapi.yaml").read_text())
    without_key = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            named = {each["$ref"].rsplit("/", 1)[-1] for each in operation["parameters"] if "$ref" in each}
            assert {"400", "401", "403", "404"} <= set(operation["responses"]), (method, path)
            if method in {"patch", "delete"}:
                assert "IfMatch" in named, (method, path)
            if method == "post" and "IdempotencyKey" not in named:
                without_key.append(path)
    assert without_key == []


@pytest.mark.django_db
def test_the_document_is_served_in_both_forms(client, client_for, scientist):
    assert client.get("/api/v1/schema/").status_code == 401
    mine = client_for(scientist)
    as_yaml, as_json = mine.get("/api/v1/schema/"), mine.get("/api/v1/schema/?format=json")
    assert yaml.safe_load(as_yaml.content) == as_json.json()
    assert mine.get("/api/v1/schema/?format=xml").status_code == 400
    known = mine.get("/api/v1/schema/", headers={"If-None-Match": as_yaml["ETag"]})
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.django_db
def test_people_read_it_as_pages(client, client_for, scientist):
    assert client.get("/api/docs/").status_code == 302
    mine = client_for(scientist)
    index = mine.get("/api/docs/").content.decode()
    assert "/models/{name}/versions/{number}" in index
    page = mine.get("/api/docs/models/").content.decode()
    for words in ("If-Match", "Idempotency-Key", "run_id", "curl", "one of high, medium, low"):
        assert words in page, words
    assert mine.get("/api/docs/nothing/").status_code == 404
