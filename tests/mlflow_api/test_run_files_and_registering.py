"""What a run kept, its family, its metrics over time, and making a version of it from its page."""

import threading
import uuid

import mlflow
import pytest
from django.db import connections

from audit.models import Event
from registry.access.services import grant
from registry.backends import tracking_server
from registry.models import ModelVersion, RegisteredModel
from registry.runs import files, reading
from registry.services import create_model
from registry.tracking import TrackingServer

pytestmark = pytest.mark.django_db(transaction=True)
NOWHERE = "0" * 32


@pytest.fixture
def logged(sign_in, scientist):
    """A run of the scientist with files, a note, a logged model, metrics over steps and a part."""
    from sklearn.linear_model import LogisticRegression

    client = sign_in(scientist)
    experiment = client.create_experiment(f"kept {uuid.uuid4().hex[:8]}")
    with mlflow.start_run(
        experiment_id=experiment, run_name="whole", description="**Careful**: <script>x</script>"
    ) as run:
        mlflow.log_dict({"a": 1}, "notes/a.json")
        mlflow.log_text("<script>alert(1)</script>", "report.html")
        mlflow.sklearn.log_model(
            LogisticRegression().fit([[0.0], [1.0]], [0, 1]), name="model", pip_requirements=["scikit-learn"]
        )
        for step in range(4):
            mlflow.log_metric("z_loss", float("nan") if step == 1 else 1 / (step + 1), step=step)
        mlflow.log_metrics({"a_count": 12345678.0, "b_tiny": 0.0000012, "c_none": float("nan")})
        with mlflow.start_run(nested=True, run_name="part", experiment_id=experiment) as part:
            mlflow.log_metric("auc", 0.75)
    return client.get_run(run.info.run_id), part.info.run_id


def model_of(run):
    return tracking_server().run(run.info.run_id).logged_models[0]


def addresses(run):
    home = f"/runs/{run.info.run_id}/"
    return [
        home,
        f"{home}files/",
        f"{home}files/?path=notes",
        f"{home}files/?model={model_of(run)}",
        f"{home}files/report.html",
        f"{home}files/MLmodel?model={model_of(run)}",
        f"{home}metric/?name=z_loss",
        f"{home}register/",
        f"/runs/compare/?a={run.info.run_id}&b={run.info.run_id[::-1]}",
    ]


def test_a_run_shows_its_files_and_hands_them_out_to_be_saved(logged, client_for, scientist):
    run, part = logged
    browser, home = client_for(scientist), f"/runs/{run.info.run_id}/"
    said = browser.get(home).content.decode()
    for words in ("report.html", "notes/", "25 B", "<strong>Careful</strong>", f"/runs/{part}/"):
        assert words in said, words
    for words in ("<script>x", "nan<", "12345678.0"):
        assert words not in said, words
    for words in ("12,345,678", "1.2e−6", "not a number", "4 values", "1 no number"):
        assert words in said, words
    assert f"/runs/{run.info.run_id}/" in browser.get(f"/runs/{part}/").content.decode()
    assert "a.json" in browser.get(f"{home}files/?path=notes").content.decode()
    inside = browser.get(f"{home}files/?model={model_of(run)}").content.decode()
    assert "MLmodel" in inside
    sent = browser.get(f"{home}files/report.html")
    assert b"".join(sent.streaming_content) == b"<script>alert(1)</script>"
    assert sent["Content-Disposition"] == 'attachment; filename="report.html"'
    assert (sent["X-Content-Type-Options"], sent["Content-Type"]) == ("nosniff", "application/octet-stream")
    assert sent["Content-Security-Policy"].startswith("sandbox")
    read = Event.objects.acting("registry.run_file_downloaded").get().content
    assert (read["object"]["id"], read["after"]) == (run.info.run_id, {"path": "report.html"})
    described = browser.get(f"{home}files/MLmodel?model={model_of(run)}")
    assert b"sklearn" in b"".join(described.streaming_content)


def test_a_folder_of_many_files_says_that_there_are_more(logged, client_for, scientist, monkeypatch):
    run, _ = logged
    monkeypatch.setattr(files, "MOST_SHOWN", 1)
    said = client_for(scientist).get(f"/runs/{run.info.run_id}/files/").content.decode()
    assert "The first 1 by name" in said
    assert "report.html" not in said


def test_odd_addresses_below_a_run_are_refused_in_words(logged, client_for, scientist):
    run, _ = logged
    browser, home = client_for(scientist), f"/runs/{run.info.run_id}/"
    for path in ("../x", "%2e%2e/x", "a\\b", "a%00b"):
        assert browser.get(f"{home}files/", {"path": path}).status_code == 400, path
    for rest in (
        "files/?path=nothing",
        "files/none.txt",
        "files/notes",
        "files/?model=x",
        f"files/?model=m-{'0' * 32}",
        "metric/?name=nothing",
        "metric/",
    ):
        assert browser.get(f"{home}{rest}").status_code == 404, rest
    assert browser.get(f"{home}files/..%2f..%2fx").status_code in {400, 404}
    assert browser.get(f"{home}register/?path=notes").status_code == 200
    assert "folder notes" not in browser.get(f"{home}register/?path=notes").content.decode()


def test_nobody_else_reaches_anything_below_a_run(logged, client_for, stranger, reviewer, scientist, actor):
    run, _ = logged
    browser = client_for(stranger)
    for address in addresses(run):
        theirs = browser.get(address)
        none = browser.get(address.replace(run.info.run_id, NOWHERE))
        assert (theirs.status_code, none.status_code) == (404, 404), address
        assert str(theirs.context["error"]).replace(run.info.run_id, NOWHERE) == str(none.context["error"])
    assert browser.post(f"/runs/{run.info.run_id}/register/").status_code == 404
    assert not Event.objects.acting("registry.run_file_downloaded").exists()
    # Who sees a version of the run sees the run, and neither its parts nor models nobody registered.
    model = create_model(actor=actor(scientist), name="shared")
    made = {"run_id": run.info.run_id, "status": "READY", "digest": "a" * 64, "number": 1}
    ModelVersion.objects.create(model=model, created_by=scientist, **made)
    grant(actor=actor(scientist), model=model, account=stranger, right="view", reason="Reads.")
    said = browser.get(f"/runs/{run.info.run_id}/").content.decode()
    assert "report.html" in said
    assert "My runs</a>" not in said
    assert "?experiment=" not in said
    assert "Register a version…" not in said
    assert model_of(run) not in said.partition('id="files"')[2].partition("</section>")[0]
    assert "part of it" not in said
    assert browser.get(f"/runs/{run.info.run_id}/files/?model={model_of(run)}").status_code == 404


def test_metrics_that_are_not_drawn_do_not_pass_for_single_values(logged, client_for, scientist, monkeypatch):
    run, _ = logged
    monkeypatch.setattr(reading, "MOST_HISTORIES", 0)
    browser = client_for(scientist)
    said = browser.get(f"/runs/{run.info.run_id}/").content.decode()
    assert "one value" not in said
    assert "up to step 3, not drawn" in said
    curve = browser.get(f"/runs/{run.info.run_id}/metric/?name=z_loss")
    assert curve.context["curve"].points == [(0, 1.0), (1, None), (2, 1 / 3), (3, 0.25)]
    assert curve.context["figure"]["data"][0]["y"][1] is None
    assert "lowest 0.25 at step 3" in curve.content.decode()


def test_a_run_costs_the_same_questions_whatever_it_holds(logged, client_for, scientist, monkeypatch):
    run, _ = logged
    asked, real = [], TrackingServer._asked

    def counted(self, method, path, **what):
        asked.append(path)
        return real(self, method, path, **what)

    monkeypatch.setattr(TrackingServer, "_asked", counted)
    monkeypatch.setattr(reading, "MOST_HISTORIES", 2)
    browser = client_for(scientist)
    browser.get(f"/runs/{run.info.run_id}/")
    assert len(asked) == 6, asked  # run, experiment, two courses, logged models, parts
    client = mlflow.MlflowClient()
    tags = {"mlflow.parentRunId": run.info.run_id}
    for _ in range(5):
        client.create_run(run.info.experiment_id, tags=tags)
        client.log_metric(run.info.run_id, f"more {uuid.uuid4().hex[:4]}", 1.0)
    asked.clear()
    page = browser.get(f"/runs/{run.info.run_id}/")
    assert len(asked) == 6, asked
    assert len(page.context["family"].children) == 6


def test_a_version_is_made_once_from_the_page_of_its_run(logged, client_for, scientist, make_account, actor):
    run, _ = logged
    browser, address = client_for(scientist), f"/runs/{run.info.run_id}/register/"
    assert address in browser.get(f"/runs/{run.info.run_id}/").content.decode()
    what = f"models:/{model_of(run)}"
    refused = browser.post(address, {"what": what, "kind": "existing", "name": "not there"})
    assert refused.status_code == 422
    assert "There is no model not there" in str(refused.context["form"].errors["name"])
    create_model(actor=actor(make_account("other", "data-scientist")), name="hidden")
    theirs = browser.post(address, {"what": what, "kind": "existing", "name": "hidden"})
    assert "There is no model hidden" in str(theirs.context["form"].errors["name"])
    taken = browser.post(address, {"what": what, "kind": "new", "name": "hidden"})
    assert "already exists" in str(taken.context["form"].errors["name"])
    assert browser.post(address, {"what": "models:/m-1", "kind": "new", "name": "x"}).status_code == 422
    assert browser.post(address, {"what": what, "kind": "new", "name": "a/b"}).status_code == 422
    assert not RegisteredModel.objects.filter(name__in=["x", "a/b"]).exists()

    first = browser.post(address, {"what": what, "kind": "new", "name": "of-a-run"})
    again = browser.post(address, {"what": what, "kind": "new", "name": "of-a-run"})
    assert first["Location"] == again["Location"] == "/models/of-a-run/versions/1/"
    version = ModelVersion.objects.get()
    assert (version.source, version.run_id) == (what, run.info.run_id)
    assert Event.objects.acting("registry.version_created").count() == 1

    other = create_model(actor=actor(scientist), name="other")
    answers = []

    def send():
        try:
            sent = client_for(scientist).post(address, {"what": what, "kind": "existing", "name": "other"})
            answers.append(sent["Location"])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["/models/other/versions/1/"] * 2
    assert other.versions.count() == 1


def test_a_folder_with_a_model_can_be_registered(sign_in, scientist, client_for):
    client = sign_in(scientist)
    run = client.create_run(client.create_experiment(f"old {uuid.uuid4().hex[:8]}")).info.run_id
    client.log_text(run, "flavors: {}\n", "saved/MLmodel")
    browser = client_for(scientist)
    folder = browser.get(f"/runs/{run}/files/?path=saved").content.decode()
    assert f"/runs/{run}/register/?path=saved" in folder
    answer = browser.post(
        f"/runs/{run}/register/?path=saved",
        {"what": f"runs:/{run}/saved", "kind": "new", "name": "from-a-folder"},
    )
    assert answer.status_code == 302
    assert ModelVersion.objects.get().source == f"runs:/{run}/saved"
