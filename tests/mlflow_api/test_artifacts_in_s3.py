"""The whole way of a model with artifacts and objects in S3, by an unmodified client."""

import pytest

from accounts.actors import actor_for
from accounts.services import issue_token
from core.object_store import store
from registry.signing.services import trust_key
from tests.mlflow_api.processes import Processes, working
from tests.registry.test_signing import Signer
from tests.waiting import wait_for


@pytest.fixture
def s3_installation(seaweedfs, s3_store, test_database, tmp_path, settings, transactional_db, monkeypatch):
    """Edge, web and the tracking server as a stack with ARTIFACT_ROOT=s3://… runs them."""
    for name, value in {**seaweedfs.environment(), "S3_ENCRYPTION": ""}.items():
        monkeypatch.setenv(name, value)
    processes = Processes(test_database.name, tmp_path)
    processes.artifacts = settings.ARTIFACT_ROOT
    monkeypatch.setenv("ARTIFACT_ROOT", settings.ARTIFACT_ROOT)
    settings.TRACKING_SOCKET = str(processes.socket("tracking"))
    settings.TRACKING_SECRET = processes.secret
    settings.TRACKING_ARTIFACTS = f"{settings.ARTIFACT_ROOT}/mlflow"
    try:
        processes.start()
        with working():
            yield processes
    finally:
        processes.stop()


def signed_as_documented(mlflow, model, admin, tmp_path):
    """What docs/how-to/artifact-store.md says about signing a model."""
    from model_signing import hashing, signing

    (tmp_path / "signer").mkdir()
    signer = Signer(tmp_path / "signer")
    trust_key(actor=actor_for(admin), name="builds", public_key=signer.public, reason="Ours.")
    folder = tmp_path / "signed"
    mlflow.sklearn.save_model(model, folder, pip_requirements=[])
    whole = hashing.Config().set_ignored_paths(paths=[folder / "model.sig"], ignore_git_paths=False)
    config = signing.Config().use_elliptic_key_signer(private_key=signer.folder / "private.pem")
    config.set_hashing_config(whole).sign(folder, folder / "model.sig")
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(folder), "model")
    mlflow.register_model(f"runs:/{run.info.run_id}/model", "in-s3")
    return folder


def test_a_model_is_logged_registered_and_loaded_from_s3(
    s3_installation, scientist, admin, monkeypatch, tmp_path, seaweedfs
):
    import mlflow
    import pandas as pd
    from mlflow import MlflowClient
    from sklearn.linear_model import LogisticRegression

    from registry.models import ModelVersion
    from registry.signing.models import VersionSignature

    for name in seaweedfs.environment():
        monkeypatch.delenv(name)  # a client knows one address and one token, nothing of S3
    _, secret = issue_token(actor=actor_for(scientist), account=scientist, name="client", scopes=["all"])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", s3_installation.url)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", secret)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    rows = pd.DataFrame({"hour": [1.0, 2.0, 3.0, 4.0]})
    model = LogisticRegression().fit(rows, [0, 0, 1, 1])
    with mlflow.start_run():
        mlflow.log_text("a note", "notes/note.txt")
        mlflow.sklearn.log_model(
            model, name="model", registered_model_name="in-s3", input_example=rows, pip_requirements=[]
        )
    version = MlflowClient().get_model_version("in-s3", "1")
    assert version.status == "READY", version.status_message
    loaded = mlflow.sklearn.load_model("models:/in-s3/1")
    assert list(loaded.predict(rows)) == list(model.predict(rows))
    kept = {each.digest for each in store().objects()}
    assert {entry["sha256"] for entry in ModelVersion.objects.get().manifest} <= kept
    signed = signed_as_documented(mlflow, model, admin, tmp_path)
    assert MlflowClient().get_model_version("in-s3", "2").status == "READY"
    wait_for(lambda: VersionSignature.objects.filter(version__number=2).exists())
    assert VersionSignature.objects.get().outcome == "verified"
    assert (signed / "model.sig").exists()
    assert not list((tmp_path / "artifacts").rglob("*")), "nothing went to a folder"
