"""Sources of data and reading from them, in both themes and widths."""

import pytest

from pipelines import services as data
from pipelines.models import DatasetQuery
from pipelines.sources import services
from tests.pipelines.conftest import make_dataset  # noqa: F401 - fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lake(settings, admin, scientist, actor, make_dataset):
    """A bucket and a database of the scientist's, one reading that failed and one that waits."""
    settings.S3_SOURCE_ALLOWED_HOSTS = ["s3.example.org"]
    settings.DATASETS_S3_KEYS = {"lake": "access:secret"}
    settings.DATASETS_SQL_SOURCES = {"warehouse": "host=db", "billing": "host=db"}
    mine = actor(admin)
    place = {"endpoint": "https://s3.example.org", "bucket": "lake", "prefix": "team-a"}
    bucket = services.add_source(
        actor=mine,
        name="lake",
        kind="s3",
        description="What the gates wrote, a day per object",
        credentials="lake",
        **place,
    )
    warehouse = services.add_source(actor=mine, name="warehouse", kind="sql")
    for source in (bucket, warehouse):
        services.grant_use(actor=mine, source=source, account=scientist, reason="Predicts delays.")
    dataset = make_dataset()
    for prefix in ("flights/2013-01/", "flights/2013-02/"):
        asked = data.request_query(actor=actor(scientist), dataset=dataset, source="lake", prefix=prefix)
    reason = "flights/2013-02/d2.csv: The column gate is not in flights/2013-02/d1.csv."
    DatasetQuery.objects.filter(pk=asked.pk).update(status="failed", failure=reason)


def test_the_pages_of_sources_are_sound(visit, lake):
    visitor = visit().sign_in("admin")
    for path in ("/admin/sources/", "/admin/sources/lake/", "/admin/sources/warehouse/"):
        page = visitor.open(path)
        page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true })")
        visitor.check_looks()
    visitor = visit().sign_in("scientist")
    visitor.open("/data/flights/add/")
    visitor.check_looks()
