"""Data that MLflow logged under a digest of its own is found as the version it was said to be."""

import mlflow
import pandas
import pytest

from core.errors import Conflict
from pipelines import services
from pipelines.models import DatasetVersion
from tests.pipelines.conftest import parquet, table
from tests.registry.conftest import make_model, make_version, tracking  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
API = "/api/v1/datasets/flights/versions"


@pytest.fixture
def months(make_dataset, add_version):
    dataset = make_dataset()
    return add_version(dataset), add_version(dataset, parquet(table(hour=[1, 2, 3, 4])))


def test_a_run_that_logged_mlflows_digest_names_the_version(
    months, token_client, scientist, make_model, make_version
):
    logged = mlflow.data.from_pandas(pandas.DataFrame({"hour": [5, 6, 7, 23]}), name="flights")
    client = token_client(scientist)
    body = {"digest": logged.digest, "source": "notebook"}
    for _ in range(2):
        answer = client.post(f"{API}/1/references", body, content_type="application/json")
        assert answer.status_code == 201, answer.content
    assert [each["digest"] for each in client.get(f"{API}/1/references").json()["items"]] == [logged.digest]
    inputs = [
        {
            "dataset": {"name": "flights", "digest": logged.digest, "source": "{}"},
            "tags": [{"key": "mlflow.data.context", "value": "training"}],
        }
    ]
    version = make_version(make_model(), inputs=inputs)
    (use,) = version.datasets.all()
    assert (use.role, use.dataset_version) == ("training", months[0])
    assert list(DatasetVersion.objects.named("flights", months[1].digest[:12])) == [months[1]]


def test_a_digest_means_one_version_and_only_registrants_say_which(
    months, scientist, actor, reviewer, stranger, client_for, token_client
):
    services.add_reference(actor=actor(scientist), version=months[0], digest="3f2a9c1e")
    with pytest.raises(Conflict, match="already means version 1"):
        services.add_reference(actor=actor(scientist), version=months[1], digest="3f2a9c1e")
    json = {"content_type": "application/json"}
    for bad in ({"digest": "a b"}, {"digest": ""}, {"digest": 5}, {}, {"digest": "abcd", "more": 1}):
        assert token_client(scientist).post(f"{API}/1/references", bad, **json).status_code == 400, bad
    assert client_for(reviewer).post(f"{API}/1/references", {"digest": "abcd"}, **json).status_code == 403
    assert client_for(stranger).get(f"{API}/1/references").status_code == 404
    assert client_for(stranger).post(f"{API}/1/references", {"digest": "abcd"}, **json).status_code == 404
