"""JSON bodies at the REST door: what cannot be meant is refused before any service sees it."""

import pytest

from registry.models import RegisteredModel

pytestmark = pytest.mark.django_db

DOOR = "/api/v1/models"


@pytest.fixture
def post(scientist, client_for):
    client = client_for(scientist)
    return lambda body: client.post(DOOR, body, content_type="application/json")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "name: This field is required"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not text"),
        (b"[" * 5000, "nested too deeply"),
        (b'{"name": NaN}', "name is NaN"),
        (b'{"name": "a", "tags": {"b": [1, -Infinity]}}', "tags.b[1] is -Infinity"),
        (b'{"name": "a", "tags": ' + b"[" * 500 + b"]" * 500 + b"}", "nested too deeply"),
        (b'{"name": Infinity}', "name is Infinity"),
        (b'{"name": "a", "name": "b"}', "stands twice"),
        (b'{"name": "a", "tier": "\\ud800"}', "tier holds a lone surrogate"),
        (b'{"name": "a", "tags": {"\\udc00": "b"}}', "lone surrogate"),
        (b'{"name": "a", "tags": {"b": ["\\ud800"]}}', "tags.b[0] holds a lone surrogate"),
        (b'{"name": 1e308}', "Must be text"),
        (b'{"name": -1}', "Must be text"),
        (b'{"name": true}', "Must be text"),
        (b'{"name": ["a"]}', "Must be text"),
        (b'{"name": "a", "description": 7}', "Must be text"),
        (b'["a"]', "body: Invalid data"),
        (b'"a"', "body: Invalid data"),
        (b"null", "body: No data provided"),
    ],
)
def test_a_body_that_cannot_be_meant_is_named_and_changes_nothing(post, body, says):
    answer = post(body)
    assert 400 <= answer.status_code < 500
    assert answer["Content-Type"] == "application/problem+json"
    assert says.lower() in answer.content.decode().lower()
    assert not RegisteredModel.objects.exists()
