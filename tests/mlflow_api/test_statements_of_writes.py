"""How many statements a write sends, its beginning and end, the token and the trail included."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.django_db

# The token, begin, commit, the event, and whether a webhook listens.
EVERY_WRITE = 5
MOST = {
    "registered-models/create": EVERY_WRITE + 6,  # lock the look, names alike, model, tags, rights, answer
    "model-versions/create": EVERY_WRITE + 7,  # find, take a number, quota, version, tags, job, answer
    "registered-models/alias": EVERY_WRITE
    + 5,  # find, protected or not (at the door and within), change, point
    "registered-models/set-tag": EVERY_WRITE + 3,  # find, change, put
    "model-versions/set-tag": EVERY_WRITE + 3,
}


@pytest.fixture
def bodies(surface, scientist, tracking, make_row):
    mine = surface(scientist)
    mine.post("registered-models/create", name="delays")
    from registry.models import RegisteredModel

    make_row(RegisteredModel.objects.get())
    tags = [{"key": "team", "value": "ops"}, {"key": "kind", "value": "forest"}]
    return mine, {
        "registered-models/create": {"name": "arrivals", "tags": tags},
        "model-versions/create": {"name": "delays", "source": tracking.add_run("r1"), "tags": tags},
        "registered-models/alias": {"name": "delays", "alias": "best", "version": "1"},
        "registered-models/set-tag": {"name": "delays", "key": "team", "value": "ops"},
        "model-versions/set-tag": {"name": "delays", "version": "1", "key": "team", "value": "ops"},
    }


@pytest.mark.parametrize("address", MOST)
def test_a_write_sends_few_statements(address, bodies):
    mine, asked = bodies
    with CaptureQueriesContext(connection) as sent:
        assert mine.post(address, **asked[address])[0] == 200
    assert len(sent) <= MOST[address], "\n".join(each["sql"][:150] for each in sent)


def test_a_tag_costs_the_same_on_a_model_with_many(bodies):
    mine, _ = bodies
    counts = []
    for more in (0, 12):
        for number in range(more):
            mine.post("registered-models/set-tag", name="delays", key=f"k{number}", value="v")
        with CaptureQueriesContext(connection) as sent:
            mine.post("registered-models/set-tag", name="delays", key="team", value=f"{more}")
        counts.append(len(sent))
    assert counts[0] == counts[1]
