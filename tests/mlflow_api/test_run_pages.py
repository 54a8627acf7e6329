"""Pages of runs: their maker's own, and of whoever sees a version that was made from them."""

import uuid
from urllib.parse import urlencode

import mlflow
import pytest
from django.core import signing
from django.db import transaction
from django.utils import timezone
from mlflow.entities import Metric

from core.jobs import enqueue
from core.jobs.models import Job
from registry import tasks, tracking
from registry.access.services import grant
from registry.models import ModelVersion, RegisteredModel
from registry.runs import curves, listing, places
from registry.services import create_model
from registry.tracked import PARENT
from tests.waiting import wait_for
from workspace.search import results

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


def test_the_parts_of_a_run_are_paged_whatever_starts_meanwhile(
    sign_in, scientist, stranger, make_account, actor, client_for, monkeypatch
):
    client = sign_in(scientist)
    experiment = client.create_experiment(f"sweep {uuid.uuid4().hex[:8]}")
    parent = client.create_run(experiment, run_name="sweep").info.run_id
    part = {"mlflow.parentRunId": parent}

    def start(name, moment):
        client.create_run(experiment, start_time=moment, run_name=name, tags=part)

    for number, moment in enumerate((1000, 1001, 1001, 1001, 1002, 1003)):
        start(f"part-{number}", moment)
    client.create_run(experiment, run_name="alone")
    monkeypatch.setattr(listing, "RUNS_OF_A_PAGE", 2)

    def walk(account, meanwhile=lambda: None, **query):
        address, seen = f"/runs/?{urlencode({'parent': parent, **query})}", []
        while address:
            page = client_for(account).get(address)
            assert page.status_code == 200
            assert page.context["shown"].parent.run.id == parent
            seen += [each.name for each in page.context["shown"].runs]
            address = page.context["older"]
            meanwhile()
        return seen

    newest = walk(scientist)
    assert (newest[:2], newest[-1]) == (["part-5", "part-4"], "part-0")
    assert sorted(newest) == [f"part-{number}" for number in range(6)]
    assert sorted(walk(scientist, sort="oldest")) == sorted(newest)
    assert sorted(walk(scientist, sort="metric:auc")) == sorted(newest)
    assert walk(scientist, q="PART-3") == ["part-3"]
    monkeypatch.setattr(places, "MOST_OF_A_MOMENT", 1)
    assert sorted(walk(scientist)) == sorted(newest), "more of one moment than fit in an address"
    monkeypatch.setattr(places, "MOST_OF_A_MOMENT", 60)
    assert walk(scientist, meanwhile=lambda: start("late", 2000)) == newest, "none twice, none left out"
    other = sign_in(make_account("colleague", "data-scientist"))
    theirs = other.create_experiment(f"theirs {uuid.uuid4().hex[:8]}")
    other.create_run(theirs, run_name="somebody else's", tags=part)
    assert "somebody else" not in client_for(scientist).get(f"/runs/?parent={parent}").content.decode()
    for named in (parent, "0" * 32, "a'b"):
        answer = client_for(stranger).get("/runs/", {"parent": named})
        assert answer.status_code == 404
        assert "part-" not in answer.content.decode()
    model = create_model(actor=actor(scientist), name="delays")
    made = {"run_id": parent, "status": "READY", "digest": "a" * 64}
    ModelVersion.objects.create(model=model, number=1, created_by=scientist, **made)
    grant(actor=actor(scientist), model=model, account=stranger, right="view", reason="Reads.")
    assert walk(stranger) == [], "a version of the run shows the run, and none of its parts"
    page = client_for(scientist).get(f"/runs/{parent}/").content.decode()
    assert f'href="/runs/?parent={parent}"' in page


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
    assert names(q=made["plain"][:8]) == ["plain"]
    assert names(q=made["plain"]) == ["plain"]
    assert names(q="many") == []
    for query in (
        {"status": "x"},
        {"show": "x"},
        {"sort": "x"},
        {"sort": "metric:a`b"},
        {"q": "'\""},
        {"q": "a\0"},
    ):
        assert browser.get("/runs/", query).status_code == 400, query
    a, b = made["plain"], made["it_s wide"]
    for address in (f"/runs/compare/?run={a}&run={b}", f"/runs/compare/?a={a}&b={b}"):
        page = browser.get(address)
        tables = {
            table.key: [(line.name, *line.values) for line in table.lines]
            for table in page.context["comparison"].tables
        }
        assert tables["parameters"] == [("depth", "1", "0")]
    assert tables["metrics"] == [("auc", "0.8", "0.9"), ("close", "0.500000002", "0.500000001")]
    several = browser.get("/runs/compare/", {"run": made.values()}).context["comparison"].tables[0]
    assert [list(line.values) for line in several.changed if line.name == "auc"] == [["0.7", "0.9", "0.8"]]
    ticks = [f"{number:032x}" for number in range(4)]
    for query, said in (
        ({}, "none was chosen"),
        ({"run": [a]}, "1 was chosen"),
        ({"a": a, "b": a}, "1 was chosen"),
        ({"run": [a, b, *ticks]}, "6 were chosen"),
    ):
        page = browser.get("/runs/compare/", {"experiment": experiment, "q": "plain", **query})
        assert page.status_code == 422, query
        assert f"Choose 2 to 5 runs to compare; {said}." in page.content.decode()
        assert [each.name for each in page.context["shown"].runs] == ["plain"]
        assert (f'value="{a}" aria-label="Compare plain" checked' in page.content.decode()) == (
            a in str(query)
        )
    for query in ({"a": a, "b": "0" * 32}, {"a": "x'", "b": b}):
        assert browser.get("/runs/compare/", query).status_code == 404, query
    assert client_for(stranger).get(f"/runs/compare/?a={a}&b={b}").status_code == 404


def test_runs_are_found_by_their_experiment_and_by_filters_of_mlflow(
    sign_in, scientist, stranger, client_for, monkeypatch
):
    client, mark = sign_in(scientist), uuid.uuid4().hex[:5]
    experiment = client.create_experiment(f"Sweeps-{mark}")
    parent = client.create_run(experiment, start_time=1000, run_name="sweep").info.run_id
    parts = [
        client.create_run(
            experiment, start_time=2000 + number, run_name=f"part {number}", tags={PARENT: parent}
        ).info.run_id
        for number in range(3)
    ]
    for number, part in enumerate(parts):
        client.log_metric(part, "acc", 0.8 + number / 10)
        client.log_param(part, "depth", number)
    monkeypatch.setattr(listing, "RUNS_OF_A_PAGE", 3)
    browser, newest = client_for(scientist), ["part 2", "part 1", "part 0", "sweep"]

    def page(who=browser, **query):
        answer = who.get("/runs/", query)
        assert answer.status_code == 200, query
        return answer, [each.name for each in answer.context["shown"].runs]

    assert page(experiment=experiment)[1] == ["sweep"], "parts of a run are within it"
    assert [each.parts for each in page(experiment=experiment)[0].context["shown"].runs] == [3]
    assert "3 parts" in page(experiment=experiment)[0].content.decode()
    assert page(experiment=experiment, show="all")[1] == newest[:3]
    first, found = page(q=f"sweeps-{mark}")
    following = browser.get(first.context["older"])
    assert [*found, *(each.name for each in following.context["shown"].runs)] == newest
    client.set_tag(parts[0], "mlflow.runName", f"named sweeps-{mark}")
    named, found = page(q=f"sweeps-{mark}")
    assert found == [f"named sweeps-{mark}"]
    assert named.context["shown"].experiments == [(experiment, f"Sweeps-{mark}")]
    assert page(experiment=experiment, filter="params.depth = '1' and metrics.acc > 0.85")[1] == ["part 1"]
    theirs = client_for(stranger)
    for query in ({"q": mark}, {"q": parent}, {"filter": "metrics.acc > 0"}, {"experiment": experiment}):
        assert page(theirs, **query)[1] == []
    for wrong in (
        "metrics.acc > 0.9 or metrics.acc < 1",
        f"metrics.acc > 0; tags.a = '{mark}'",
        "params.depth LIKE '\\'",
        "attributes.start_time > 99999999999999999999999",
        "depth",
    ):
        answer = browser.get("/runs/", {"filter": wrong})
        assert (answer.status_code, answer.context["shown"].runs) == (422, []), wrong
        assert answer.context["filters"].errors["filter"], wrong
        assert "controlplane.owner" not in answer.content.decode()


def test_deleted_runs_are_listed_with_how_they_come_back(sign_in, scientist, client_for):
    client = sign_in(scientist)
    experiment = client.create_experiment(f"gone {uuid.uuid4().hex[:8]}")
    gone, kept = (client.create_run(experiment, run_name=name).info.run_id for name in ("gone", "kept"))
    client.delete_run(gone)
    browser = client_for(scientist)

    def names(**query):
        page = browser.get("/runs/", {"experiment": experiment, **query})
        return [each.name for each in page.context["shown"].runs]

    assert (names(), names(status="deleted")) == (["kept"], ["gone"])
    (snippet,) = browser.get(f"/runs/{gone}/").context["restoring"]
    assert "restore" not in browser.get(f"/runs/{kept}/").content.decode()
    call = snippet.code.splitlines()[-1].removeprefix("mlflow.MlflowClient()")
    assert call == f'.restore_run("{gone}")'
    client.restore_run(gone)
    assert names(status="deleted") == []


def test_the_finding_of_a_metric_is_told_of_all_its_values(sign_in, scientist, client_for, monkeypatch):
    client = sign_in(scientist)
    run = client.create_run(client.create_experiment(f"long {uuid.uuid4().hex[:8]}")).info.run_id
    odd = {1777: 0.99, 301: float("inf"), 302: float("nan")}
    for name in ("accuracy", "kind"):
        logged = [Metric(name, odd.get(step, 0.5), 1000 + step, step) for step in range(2000)]
        for at in range(0, len(logged), 1000):
            client.log_batch(run, logged[at : at + 1000])
    client.log_metric(run, "short", float("-inf"))
    browser = client_for(scientist)

    def said(name):
        return browser.get(f"/runs/{run}/metric/", {"name": name}).context["curve"]

    monkeypatch.setattr(tracking, "VALUES_AT_ONCE", 300)
    assert said("accuracy").title == "accuracy is 0.5; highest 0.99 at step 1,777"
    assert (1777, 0.99) in said("accuracy").points
    assert said("kind").title == "kind is 0.5; lowest 0.5 at step 0, highest 0.99 at step 1,777"
    assert (said("short").title, said("short").rows) == ("short is minus infinite", [["0", "minus infinite"]])
    answer = browser.get(f"/runs/{run}/metric.csv", {"name": "accuracy"})
    assert answer["Content-Disposition"] == f'attachment; filename="{run[:8]} accuracy.csv"'
    head, *lines = b"".join(answer).decode().splitlines()
    assert (head, len(lines)) == ("step,logged_at,value", 2000)
    assert lines[1777] == "1777,1970-01-01T00:00:02.777+00:00,0.99"
    assert [lines[step].split(",")[2] for step in (300, 301, 302)] == ["0.5", "inf", "nan"]
    monkeypatch.setattr(curves, "SECONDS_FOR_FINDING", -1)
    assert said("accuracy").title.startswith("accuracy is 0.5; highest 0.5 at step ")
    assert said("accuracy").title.endswith(" of a sample")


def test_the_palette_finds_runs_by_name_and_by_the_beginning_of_their_id(
    run, sign_in, scientist, stranger, admin, actor, client_for
):
    def found(account, words):
        groups = {group["name"]: group["lines"] for group in results(actor(account), words)}
        return [(each["word"], each["address"]) for each in groups.get("Runs", [])]

    here = [("first try", f"/runs/{run.run_id}/")]
    for words in ("FIRST t", run.run_id[:4], run.run_id[:9].upper(), run.run_id):
        assert here[0] in found(scientist, words), words
        assert found(stranger, words) == [], words
        assert "first try" not in client_for(stranger).get("/search/", {"q": words}).content.decode(), words
    assert found(scientist, "first try") == here
    for words in ("", "f", "second", run.run_id[:3], run.run_id + "0", "'\"", "%", "_irst", "first'"):
        assert here[0] not in found(scientist, words), words
    assert found(admin, run.run_id) == here, "who may open the page of any run finds it by its whole id"
    assert found(admin, "first try") == [], "its list holds one's own, and so do names"
    model = create_model(actor=actor(scientist), name="delays")
    facts = {"id": run.run_id, "experiment_id": run.experiment_id}
    version = ModelVersion.objects.create(
        model=model, number=1, created_by=scientist, run_id=run.run_id, run=facts, status="READY",
        digest="a" * 64,
    )  # fmt: skip
    grant(actor=actor(scientist), model=model, account=stranger, right="view", reason="Reads.")
    assert found(stranger, run.run_id[:8]) == here
    assert found(stranger, "first try") == []
    ModelVersion.objects.filter(pk=version.pk).update(deleted_at=timezone.now())
    ModelVersion.objects.create(
        model=model, number=2, created_by=stranger, run_id=run.run_id, run=facts, status="READY",
        digest="a" * 64,
    )  # fmt: skip
    assert found(stranger, run.run_id[:8]) == [], "a copy of one's own opens nothing"
    client = sign_in(scientist)
    for number in range(7):
        client.create_run(run.experiment_id, run_name=f"wide {number}")
    groups = {group["name"]: group for group in results(actor(scientist), "wide")}
    assert [each["word"] for each in groups["Runs"]["lines"]] == [
        f"wide {number}" for number in range(6, 0, -1)
    ]
    assert groups["Runs"]["more"]["address"] == "/runs/?q=wide"


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
