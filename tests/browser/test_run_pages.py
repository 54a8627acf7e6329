"""The pages of runs in a browser, on what MLflow's tracking server keeps."""

import uuid

import pytest

from accounts.actors import actor_for
from accounts.services import issue_token
from registry.models import ModelVersion
from tests.registry.conftest import make_model  # noqa: F401 - fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def runs(installation, scientist, monkeypatch):
    """Two runs of the scientist; the first has files, a note, a part and metrics over steps."""
    from mlflow import MlflowClient

    _, secret = issue_token(actor=actor_for(scientist), account=scientist, name="client", scopes=["all"])
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", secret)
    client = MlflowClient(installation.url)
    experiment = client.create_experiment(f"browsed {uuid.uuid4().hex[:8]}")
    made = []
    for number, name in enumerate(("forest, deeper", "forest")):
        note = {"mlflow.note.content": "Trees of **depth 9**; see `notes/`."} if not number else {}
        run = client.create_run(experiment, run_name=name, tags={"purpose": "learn", **note}).info.run_id
        for step in range(12):
            loss = float("nan") if step == 5 else 1 / (step + 1 + number)
            client.log_metric(run, "log_loss", loss, step=step)
        client.log_metric(run, "holdout_roc_auc", 0.75 + number / 100)
        client.log_param(run, "depth", 9 - number)
        client.log_dict(run, {"a": 1}, "notes/a.json")
        client.log_text(run, "flavors: {}\n", "saved/MLmodel")
        client.log_text(run, "<p>A report</p>", "report.html")
        client.set_terminated(run, "FINISHED")
        made.append(run)
    part = client.create_run(experiment, run_name="fold 1", tags={"mlflow.parentRunId": made[0]}).info.run_id
    client.log_metric(part, "auc", 0.7)
    gone = client.create_run(experiment, run_name="gone").info.run_id
    client.delete_run(gone)
    return experiment, *made, part, gone


def test_pages_of_runs(visit, scientist, runs):
    experiment, first, second, part, gone = runs
    visitor = visit().sign_in(scientist.username)
    for address in (
        f"/runs/?experiment={experiment}&q=forest&sort=-metric:log_loss",
        f"/runs/{first}/",
        f"/runs/{first}/files/",
        f"/runs/{first}/metric/?name=log_loss",
        f"/runs/{first}/register/?path=saved",
        f"/runs/compare/?run={first}&run={second}&run={part}",
        "/runs/?status=deleted",
        f"/runs/{gone}/",
        f"/runs/?parent={first}",
    ):
        visitor.open(address)
        visitor.check_looks()
    for refused in (f"/runs/compare/?run={first}", "/runs/?filter=params.depth"):
        visitor.open(refused)
        visitor.errors.clear()  # the browser's own line about the 422
        visitor.check_looks()
    page = visitor.open(f"/runs/?experiment={experiment}")
    page.get_by_label("Compare forest, deeper", exact=True).check()
    page.get_by_label("Compare forest", exact=True).check()
    page.get_by_role("button", name="Compare the chosen, 2 to 5").click()
    page.get_by_role("heading", name="Parameters").wait_for()


def test_a_run_that_wrote_on_and_the_palette(visit, scientist, runs, make_model):
    second = runs[2]
    model = make_model("forests")
    manifest = [{"path": name, "size": 1, "sha256": "0" * 64} for name in ("MLmodel", "old.bin")]
    ModelVersion.objects.create(
        model=model, number=1, status="READY", digest="a" * 64, source=f"runs:/{second}/saved",
        run_id=second, manifest=manifest, created_by=scientist,
    )  # fmt: skip
    visitor = visit().sign_in(scientist.username)
    page = visitor.open(f"/runs/{second}/register/?path=saved")
    page.select_option("#id_what", f"runs:/{second}/saved")
    page.select_option("#id_kind", "existing")
    page.fill("#id_name", "forests")
    page.get_by_role("button", name="Register the version").click()
    page.get_by_role("heading", name="forests v1 is an earlier state of these files").wait_for()
    visitor.errors.clear()  # the browser's own word on a 409
    visitor.check_looks()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.press("Control+k")
    page.locator("#palq").fill(second[:8])
    page.locator("#pallist", has_text="version of this run").wait_for()
    assert "forest" in page.locator("#pallist [role=group][aria-label=Runs]").inner_text()
    visitor.check()
