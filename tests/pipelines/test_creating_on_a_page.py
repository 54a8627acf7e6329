"""Data sets are created in the browser by who may, and go on to their first version."""

from datetime import timedelta

import pytest

from pipelines.models import Dataset
from tests.registry.test_registering_models import events

pytestmark = pytest.mark.django_db
PAGE = "/data/_new/"
BODY = {
    "name": "flights",
    "description": "Every departure.",
    "event_time_column": "at",
    "time_zone": "America/New_York",
    "key_columns": "carrier, flight ,day",
    "label_column": "late",
    "every": "2",
    "unit": "days",
}


def test_a_data_set_is_created_and_its_first_version_asked_for(client_for, scientist):
    client = client_for(scientist)
    assert PAGE in client.get("/data/").content.decode()
    assert client.get(PAGE).status_code == 200
    answer = client.post(PAGE, BODY, follow=True)
    assert answer.redirect_chain == [("/data/flights/add/", 302)]
    assert "flights is created. Add its first version." in answer.content.decode()
    dataset = Dataset.objects.get()
    assert (dataset.time_zone, dataset.key_columns) == ("America/New_York", ["carrier", "flight", "day"])
    assert (dataset.event_time_column, dataset.label_column) == ("at", "late")
    assert (dataset.expected_every, dataset.owner) == (timedelta(days=2), scientist.person)
    assert [each["after"]["expected_every"] for each in events("pipelines.dataset_created")] == [
        "P2DT00H00M00S"
    ]


def test_a_name_is_enough(client_for, scientist):
    answer = client_for(scientist).post(PAGE, {"name": "flights", "time_zone": "UTC", "unit": "days"})
    assert answer.status_code == 302
    dataset = Dataset.objects.get()
    assert (dataset.key_columns, dataset.expected_every) == ([], None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a/b"),
        ("name", "_new"),
        ("name", "taken"),
        ("name", "hidden"),
        ("time_zone", "Mars/Olympus"),
        ("key_columns", "id, id"),
        ("key_columns", ",".join(map(str, range(21)))),
        ("key_columns", "x" * 201),
        ("event_time_column", "x" * 201),
        ("every", "0"),
        ("every", "900000"),
        ("unit", "years"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    client_for, scientist, make_dataset, reviewer, make_account, field, value
):
    make_dataset("taken")
    make_dataset("hidden", by=make_account("other", "data-scientist"))
    answer = client_for(scientist).post(PAGE, {**BODY, field: value})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in page
    assert "Every departure." in page
    assert Dataset.objects.count() == 2


def test_who_may_not_create_sees_no_button_and_is_refused(client_for, reviewer, stranger):
    for account in (reviewer, stranger):
        client = client_for(account)
        assert PAGE not in client.get("/data/").content.decode()
        assert client.post(PAGE, BODY).status_code == 403
        assert {each["outcome"] for each in events("pipelines.require_creating")} == {"denied"}
        assert client.get(PAGE).status_code == 403
    assert not Dataset.objects.exists()
