"""Data sets, contracts and comparisons in a real browser: sound in both themes and at both widths."""

from datetime import timedelta

import pytest

from pipelines import services
from tests.browser.conftest import CUT_OFF
from tests.pipelines.conftest import CONTRACT, add_version, make_dataset, parquet, table  # noqa: F401 - fixtures
from tests.pipelines.test_differences import flights, months  # noqa: F401 - fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def data(months, make_dataset, add_version, actor, scientist, run_jobs):
    """Two months that were compared, the second quarantined, late, with two revisions of a contract."""
    january, february = months
    dataset, mine = january.dataset, actor(scientist)
    make_dataset("empty")
    rules = {"temp": {"type": "number", "min": -30, "max": 20}, "origin": {"type": "string"}}
    document = {"schema": CONTRACT["schema"], "rows": {"min": 100}, "columns": rules}
    services.set_contract(actor=mine, dataset=dataset, document=document, reason="What the models rely on.")
    rules = {**rules, "id": {"type": "string"}}
    document = {**document, "columns": rules, "unique": [["id"]]}
    services.set_contract(actor=mine, dataset=dataset, document=document, reason="Flights are counted once.")
    services.request_difference(actor=mine, before=january, after=february)
    services.quarantine_version(actor=mine, version=february, reason="A sensor was moved.")
    services.update_dataset(
        actor=mine, dataset=dataset, expected_every=timedelta(days=1), description="Made up."
    )
    run_jobs()
    return dataset


PAGES = (
    "/data/",
    "/data/flights/?version=1",
    "/data/flights/",
    "/data/flights/edit/",
    "/data/flights/add/",
    "/data/flights/compare/",
    "/data/flights/contract/",
    "/data/flights/contract/edit/?propose=1",
    "/data/flights/contract/edit/?as=yaml",
    "/data/flights/versions/1/quarantine/",
    "/data/empty/",
    "/data/empty/contract/",
    "/data/empty/compare/",
)


def test_the_pages_of_data_are_sound(visit, data):
    visitor = visit().sign_in("scientist")
    for path in PAGES:
        page = visitor.open(path)
        visitor.check_looks()
        assert page.locator(".scroll:has(> .diff)").evaluate_all(CUT_OFF) == []
        visitor.check_dialogs()


def test_a_person_tightens_a_rule_and_reads_what_it_would_find(visit, data):
    visitor = visit().sign_in("scientist")
    page = visitor.open("/data/flights/contract/")
    page.click("text=Edit…")
    page.fill("#id_c-1-max", "15")
    page.click("text=Show what would change")
    assert "columns.temp.max" in page.locator("#preview").inner_text()
    assert "temp goes up to" in page.locator("#preview").inner_text()
    visitor.check()
    page.fill("#id_reason", "Colder is better.")
    page.click("text=Keep as revision 3")
    assert "Revision 3" in page.locator(".meta").inner_text()
    page.goto("/data/flights/?version=1")
    page.click("text=Quarantine…")
    page.fill("#quarantine textarea", "Thermometer in the sun.")
    page.click("text=Quarantine it")
    assert "Thermometer in the sun." in page.locator(".banner").inner_text()
    visitor.check()
