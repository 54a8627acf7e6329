"""Pages of runs: their maker's own, and of whoever sees a version that was made from them."""

import uuid

import mlflow
import pytest
from django.core import signing
from django.db import transaction
from django.utils import timezone

from core.jobs import enqueue
from core.jobs.models import Job
from registry import tasks
from registry.access.services import grant
from registry.models import ModelVersion, RegisteredModel
from registry.runs import listing
from registry.services import create_model
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(sign_in, scientist):
    """A run of the scientist with everything a page shows."""
    client = sign_in(scientist)
    experiment = client.create_experiment(f"delays {uuid.uuid4().hex[:8]}")
    with mlflow.start_run(experiment_id=experiment, run_name="first try") as started:
        mlflow.log_params({"depth": 3, "rate": 0.1})
        for step, loss in enumerate((0.9, 0.5, 0.2)):
            mlflow.log_metric("loss", loss, step=step)
        mlflow.log_metric("accuracy", 0.93)
        mlflow.set_tag("purpose", "to <b>learn</b>")
    return started.info


def test_the_maker_sees_what_a_run_logged(run, client_for, scientist):
    page = client_for(scientist).get(f"/runs/{run.run_id}/")
    said = page.content.decode()
    assert page.status_code == 200
    for words in (
        "first try",
        "Succeeded",
        "3 values",
        "0.2",
        "0.93",
        "depth",
        "rate",
    ):
        assert words in said, words
    assert "to &lt;b&gt;learn&lt;/b&gt;" in said
    assert "controlplane.owner" not in said
    listed = client_for(scientist).get(f"/runs/?experiment={run.experiment_id}").content.decode()
    assert "first try" in listed
    assert "Experiment delays " in listed
    assert "first try" in client_for(scientist).get("/runs/").content.decode()


def test_nobody_else_sees_a_run_or_that_there_is_one(
    run, client_for, reviewer, stranger, scientist, admin, actor, ask, token
):
    for who in (stranger, reviewer):
        browser = client_for(who)
        if not actor(who).holds_everywhere("view"):
            theirs, none = browser.get(f"/runs/{run.run_id}/"), browser.get(f"/runs/{'0' * 32}/")
            assert (theirs.status_code, none.status_code) == (404, 404)
            said = [
                str(each.context["error"].__dict__).replace(name, "")
                for each, name in ((theirs, run.run_id), (none, "0" * 32))
            ]
            assert said[0] == said[1], "a hidden run is refused as one that never was"
        for address in ("/runs/", f"/runs/?experiment={run.experiment_id}"):
            said = browser.get(address).content.decode()
            assert "first try" not in said
            assert "Experiment delays" not in said
    model = create_model(actor=actor(scientist), name="delays")
    made = {"run_id": run.run_id, "status": "READY", "digest": "a" * 64}
    ModelVersion.objects.create(model=model, number=1, created_by=scientist, **made)
    assert client_for(stranger).get(f"/runs/{run.run_id}/").status_code == 404
    grant(
        actor=actor(scientist),
        model=RegisteredModel.objects.get(),
        account=stranger,
        right="view",
        reason="Reads.",
    )
    page = client_for(stranger).get(f"/runs/{run.run_id}/")
    assert page.status_code == 200
    assert "/models/delays/versions/1/" in page.content.decode()
    # A copy of one's own opens nothing: what is seen through it ends with the right it came by.
    own = create_model(actor=actor(scientist), name="theirs")
    grant(actor=actor(scientist), model=own, account=stranger, right="view", reason="Theirs.")
    ModelVersion.objects.create(model=own, number=1, created_by=stranger, **made)
    ModelVersion.objects.filter(model=model).update(deleted_at=timezone.now())
    assert client_for(stranger).get(f"/runs/{run.run_id}/").status_code == 404
    theirs = ask(
        "GET", f"/api/2.0/mlflow/runs/get?run_id={run.run_id}", Authorization=f"Bearer {token(stranger)}"
    )
    assert theirs[0] == 404


def test_odd_addresses_are_refused_in_words(run, client_for, scientist):
    browser = client_for(scientist)
    for name in ("x", "a" * 65, "%00", "a'b", "é"):
        assert browser.get(f"/runs/{name}/").status_code == 404, name
    assert browser.get("/runs/?experiment=x").status_code == 400
    for page in ("nonsense", "W10=", "MQ==", signing.dumps(["x"], salt="registry.runs.page")):
        assert browser.get("/runs/", {"page": page}).status_code == 400, page
    assert browser.get("/runs/?experiment=999999999").status_code == 200


def test_a_list_goes_on(sign_in, scientist, client_for, monkeypatch):
    client = sign_in(scientist)
    experiment = client.create_experiment(f"many {uuid.uuid4().hex[:8]}")
    for number in range(5):
        client.set_terminated(
            client.create_run(experiment, start_time=1000 + number, run_name=f"run-{number}").info.run_id
        )
    monkeypatch.setattr(listing, "RUNS_OF_A_PAGE", 2)
    browser, address, seen = client_for(scientist), f"/runs/?experiment={experiment}", []
    while address:
        page = browser.get(address)
        seen += [each.name for each in page.context["shown"].runs]
        address = page.context["older"]
    assert seen == [f"run-{number}" for number in (4, 3, 2, 1, 0)]


def test_runs_are_found_ordered_and_compared(sign_in, scientist, stranger, client_for):
    client = sign_in(scientist)
    experiment = client.create_experiment(f"many {uuid.uuid4().hex[:8]}")
    made = {}
    for number, name in enumerate(("it's 100%", "it_s wide", "plain")):
        made[name] = client.create_run(experiment, start_time=1000 + number, run_name=name).info.run_id
        client.log_metric(made[name], "auc", (0.7, 0.9, 0.8)[number])
        client.log_metric(made[name], "close", 0.5 + number * 1e-9)
        client.log_param(made[name], "depth", number // 2)
        client.set_terminated(made[name], "FAILED" if name == "plain" else "FINISHED")
    browser = client_for(scientist)

    def names(**query):
        page = browser.get("/runs/", {"experiment": experiment, **query})
        assert page.status_code == 200, query
        return [each.name for each in page.context["shown"].runs]

    assert names(q="it's") == ["it's 100%"]
    assert names(q="IT_S") == ["it_s wide"]
    assert names(q="0%") == ["it's 100%"]
    assert names(q="\\") == []
    assert names(status="failed") == ["plain"]
    assert names(status="succeeded", sort="oldest") == ["it's 100%", "it_s wide"]
    assert names(sort="metric:auc") == ["it_s wide", "plain", "it's 100%"]
    assert names(sort="-metric:auc") == ["it's 100%", "plain", "it_s wide"]
    assert names(sort="metric:nobody logged it") == ["plain", "it_s wide", "it's 100%"]
    for query in ({"status": "x"}, {"sort": "x"}, {"sort": "metric:a`b"}, {"q": "'\""}, {"q": "a\0"}):
        assert browser.get("/runs/", query).status_code == 400, query
    a, b = made["plain"], made["it_s wide"]
    answer = browser.get("/runs/compare/", {"run": [a, b]})
    assert answer["Location"] == f"/runs/compare/?a={a}&b={b}"
    page = browser.get(answer["Location"])
    tables = {
        table.key: [(line.name, line.a, line.b) for line in table.lines]
        for table in page.context["pair"].tables
    }
    assert tables["metrics"] == [("auc", "0.8", "0.9"), ("close", "0.500000002", "0.500000001")]
    assert tables["parameters"] == [("depth", "1", "0")]
    for query in ({}, {"run": [a]}, {"a": a}, {"a": a, "b": a}):
        assert browser.get("/runs/compare/", query).status_code == 400, query
    for query in ({"a": a, "b": "0" * 32}, {"a": "x'", "b": b}):
        assert browser.get("/runs/compare/", query).status_code == 404, query
    assert client_for(stranger).get(f"/runs/compare/?a={a}&b={b}").status_code == 404


def follow(run_jobs):
    with transaction.atomic():
        enqueue(tasks.FOLLOW)
    run_jobs()
    wait_for(lambda: not Job.objects.filter(kind=tasks.FOLLOW).open().exists())


def test_one_run_of_many_versions_holds_up_no_other(sign_in, scientist, actor, run_jobs, monkeypatch):
    """The newest versions, all of one run that goes on, once kept every other from being asked for."""
    monkeypatch.setattr(tasks, "RUNS_OF_A_QUESTION", 1)
    client = sign_in(scientist)
    experiment = client.create_experiment(f"many {uuid.uuid4().hex[:8]}")
    model, made = create_model(actor=actor(scientist), name="delays"), []
    for run in [client.create_run(experiment).info] * 1 + [client.create_run(experiment).info] * 3:
        facts = {"id": run.run_id, "status": "RUNNING", "experiment_id": experiment}
        made.append(
            ModelVersion.objects.create(
                model=model,
                number=len(made) + 1,
                run_id=run.run_id,
                run=facts,
                created_by=scientist,
                status="READY",
                digest="a" * 64,
            )
        )
    client.log_metric(made[0].run_id, "auc", 0.7)
    client.set_terminated(made[0].run_id)
    follow(run_jobs)
    made[0].refresh_from_db()
    assert (made[0].metrics, made[0].is_run_going) == ({"auc": 0.7}, False)
    assert ModelVersion.objects.of_going_runs().count() == 3


def test_what_a_run_logs_after_its_model_was_registered_reaches_the_version(
    sign_in, scientist, client_for, run_jobs
):
    from sklearn.linear_model import LogisticRegression

    client = sign_in(scientist)
    name = f"late-{uuid.uuid4().hex[:8]}"
    with mlflow.start_run(experiment_id=client.create_experiment(name)) as run:
        mlflow.sklearn.log_model(
            LogisticRegression().fit([[0.0], [1.0]], [0, 1]),
            name="model",
            registered_model_name=name,
            pip_requirements=["scikit-learn"],
        )
        version = ModelVersion.objects.get(model__name=name)
        assert (version.is_run_going, version.metrics) == (True, {})
        page = client_for(scientist).get(f"/models/{name}/versions/1/").content.decode()
        assert "Its run was still going" in page
        follow(run_jobs)
        version.refresh_from_db()
        assert version.is_run_going
        mlflow.log_metric("auc", 0.77)
        mlflow.log_param("depth", 3)
        mlflow.set_tag("controlplane.holdout", '{"kind": "time_ordered"}')
    follow(run_jobs)
    version.refresh_from_db()
    assert (version.metrics, version.parameters) == ({"auc": 0.77}, {"depth": "3"})
    assert version.holdout == {"kind": "time_ordered"}
    assert (version.run["status"], version.run["id"]) == ("FINISHED", run.info.run_id)
    page = client_for(scientist).get(f"/models/{name}/versions/1/").content.decode()
    assert "Its run was still going" not in page
    assert "0.77" in page
