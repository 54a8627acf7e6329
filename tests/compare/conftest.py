"""Versions with parameters, data and requirements of their own."""

import pytest

from core.canonical import sha256_hex
from pipelines.models import Dataset, DatasetVersion
from pipelines.services import create_dataset
from tests.deployments.conftest import model_files  # noqa: F401 - fixture
from tests.evaluations.conftest import heldout  # noqa: F401 - fixture
from tests.registry.conftest import make_model, make_row, make_version, tracking  # noqa: F401 - fixtures
from tests.registry.tracking import FILES, MLMODEL


@pytest.fixture
def make_data(scientist, actor):
    """``make_data("2013-01")``: a ready version of the flights, which the scientist made."""

    def make(label, name="flights"):
        dataset = Dataset.objects.filter(name=name).first()
        dataset = dataset or create_dataset(actor=actor(scientist), name=name)
        number = dataset.versions.count() + 1
        digest = sha256_hex(f"{name} {label}".encode())
        return DatasetVersion.objects.create(
            dataset=dataset,
            number=number,
            label=label,
            status="ready",
            digest=digest,
            source_digest=digest,
            rows=1000 * number,
        )

    return make


@pytest.fixture
def files_with():
    """``files_with(inputs=…, requirements=…)``: the usual files with another signature or environment."""

    def files(inputs=None, requirements=None):
        made = dict(FILES)
        if inputs is not None:
            start = MLMODEL.index("  inputs:")
            end = MLMODEL.index("  outputs:")
            made["MLmodel"] = f"{MLMODEL[:start]}  inputs: '{inputs}'\n{MLMODEL[end:]}"
        if requirements is not None:
            made["requirements.txt"] = requirements
        return made

    return files
