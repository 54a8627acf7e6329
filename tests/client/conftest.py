"""The client and the command line against the real processes, with real accounts."""

import json
from dataclasses import dataclass

import pytest

from tests.approvals.conftest import answer, production, version  # noqa: F401 - fixtures
from tests.conftest import make_account  # noqa: F401 - fixture
from tests.deployments.conftest import model_files  # noqa: F401 - fixture
from tests.evaluations.conftest import heldout  # noqa: F401 - fixture
from tests.registry.conftest import make_model, make_version, tracking  # noqa: F401 - fixtures


@pytest.fixture
def secret_of(installation, actor):
    """``secret_of(account)``: a new token."""
    from accounts.services import issue_token

    def issue(account, scopes=("all",)):
        return issue_token(actor=actor(account), account=account, name="client", scopes=list(scopes))[1]

    return issue


@pytest.fixture
def plane(installation, secret_of, scientist):
    """The scientist's client."""
    from controlplane_client import ControlPlane

    with ControlPlane(installation.url, secret_of(scientist)) as client:
        yield client


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def data(self):
        return json.loads(self.out)


@pytest.fixture
def cplane(tmp_path, monkeypatch, capsys):
    """``cplane("models", "list")``: the command in this process, with a configuration folder of its own."""
    for name in ("CPLANE_URL", "CPLANE_TOKEN", "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CPLANE_CONFIG_DIR", str(tmp_path / "configuration"))
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*words, stdin=""):
        import io

        from cplane.main import main

        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def signed_in(cplane, installation, secret_of):
    """``signed_in(account)``: the command line after ``cplane login``."""

    def of(account):
        done = cplane("login", installation.url, "--token-stdin", stdin=secret_of(account) + "\n")
        assert done.code == 0, done.err
        return cplane

    return of


@pytest.fixture
def folder(tmp_path):
    """A local MLflow model folder, as ``mlflow.sklearn.save_model`` writes it."""
    from tests.deployments.conftest import MLMODEL, trained

    made = tmp_path / "saved"
    (made / "data").mkdir(parents=True)
    (made / "MLmodel").write_text(MLMODEL.replace("run_id: %(run_id)s\n", ""))
    (made / "model.pkl").write_bytes(trained(1))
    (made / "requirements.txt").write_text("scikit-learn==1.9.0\n")
    (made / "data" / "größe 1.bin").write_bytes(bytes(range(256)) * 9000)
    return made
