"""The list of data sets says in one line what each needs, and draws how its rows went."""

import pytest

from pipelines import services
from pipelines.models import Dataset
from pipelines.needs import need_of, sizes_of
from pipelines.overview import with_newest
from tests.pipelines.conftest import CONTRACT, parquet, table

pytestmark = pytest.mark.django_db


def listed(dataset):
    (row,) = with_newest(Dataset.objects.filter(pk=dataset.pk)).with_freshness()
    return row


def need(dataset):
    found = need_of(listed(dataset))
    return found.tone, found.words


def test_from_nothing_to_a_version_that_breaks_the_contract(
    make_dataset, add_version, scientist, actor, client_for, stranger
):
    dataset = make_dataset()
    assert need(dataset) == ("info", "no version yet")
    add_version(dataset)
    assert need(dataset) == ("info", "has no contract to hold")
    services.set_contract(
        actor=actor(scientist), dataset=dataset, document=CONTRACT, reason="Hours are hours."
    )
    assert need(dataset) == ("info", "is not checked yet")
    add_version(dataset, parquet(table(hour=[5, 6, 7, 8])))
    assert need(dataset) == ("none", "holds its contract")
    broken = add_version(dataset, parquet(table(hour=[5, 6, 7, 99])))
    assert need(dataset) == ("bad", "breaks the contract")
    page = client_for(scientist).get("/data/").content.decode()
    assert "breaks the contract" in page and 'class="spark' in page
    assert "row-link" not in client_for(stranger).get("/data/").content.decode()
    services.quarantine_version(actor=actor(scientist), version=broken, reason="A typing error.")
    assert need(dataset) == ("warn", "is quarantined until somebody releases it")
    assert sizes_of([dataset])[dataset.pk] == [4, 4]
