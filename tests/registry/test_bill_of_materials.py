"""What a version is made of, in a format that other tools read."""

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from registry import services
from tests.registry.tracking import FILES

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/models/delays/versions/1/sbom"


def test_the_bill_is_valid_and_names_what_was_locked(make_model, make_version, token_client, scientist):
    lines = "mlflow==3.17.2\nscikit-learn==1.9.1 --hash=sha256:aa\nnumpy>=2\ngit+https://example.org/x.git\n"
    version = make_version(make_model("delays"), files={**FILES, "requirements.txt": lines})
    client = token_client(scientist)
    answer = client.get(ADDRESS)
    assert answer.headers["Content-Type"] == "application/vnd.cyclonedx+json; version=1.6"
    assert "attachment" in answer.headers["Content-Disposition"]
    text = answer.content.decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    parts = {each["name"]: each for each in bill["components"]}
    assert parts["scikit-learn"]["purl"] == "pkg:pypi/scikit-learn@1.9.1"
    assert "version" not in parts["numpy"]
    assert parts["numpy"]["properties"][0]["value"] == "numpy>=2"
    assert parts["python"]["version"] == "3.11.2"
    model = bill["metadata"]["component"]
    said = {each["name"]: each["value"] for each in model["properties"]}
    assert said["controlplane:digest"] == f"sha256:{version.digest}"
    assert said["controlplane:requirements"] == "not all pinned"
    assert said["controlplane:unreadable_requirement"] == "git+https://example.org/x.git"
    hashes = {each["name"]: each["hashes"][0]["content"] for each in model["components"]}
    assert hashes == {entry["path"]: entry["sha256"] for entry in version.manifest}
    again = client.get(ADDRESS)
    assert (again.content, again["ETag"]) == (answer.content, answer["ETag"])


def test_there_is_no_bill_of_what_is_not_ready_or_not_to_be_seen(
    make_model, make_version, tracking, token_client, client, actor, scientist, stranger
):
    model = make_model("delays")
    services.create_version(actor=actor(scientist), model=model, source=tracking.add_run("r1"), run_id="r1")
    assert token_client(scientist).get(ADDRESS).status_code == 409
    assert token_client(stranger).get(ADDRESS).status_code == 404
    assert client.get(ADDRESS).status_code == 401
