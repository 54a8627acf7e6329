"""A worker scores candidate and champion on the same rows, in the sandbox."""

import json
import time

import pytest

from audit.models import Event
from core.errors import Conflict, NotAllowed
from core.jobs.models import Job
from registry.access.services import grant
from registry.evaluations import services
from registry.evaluations import tasks as evaluation_tasks
from registry.evaluations.models import Evaluation
from registry.models import VersionDataset
from tests.tampering import digest_in, overwrite

# Committed rows: the heartbeat of a long job looks from a connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def versions(make_model, make_version, model_files):
    model = make_model()
    return [make_version(model, files=model_files(seed)) for seed in (1, 2)]


def ask(actor, who, candidate, champion, rows):
    return services.request_evaluation(
        actor=actor(who), candidate=candidate, champion=champion, dataset_version=rows
    )


def test_two_versions_are_scored_on_the_same_rows_with_intervals_by_day(
    versions, heldout, scientist, actor, run_jobs
):
    champion, candidate = versions
    evaluation = ask(actor, scientist, candidate, champion, heldout())
    run_jobs()
    evaluation.refresh_from_db()
    assert evaluation.status == "succeeded", evaluation.failure
    assert (evaluation.rows, evaluation.blocks) == (1800, 30)
    auc = evaluation.comparison["metrics"]["roc_auc"]
    assert auc["candidate"]["estimate"] > 0.7
    assert auc["difference"]["low"] <= auc["difference"]["estimate"] <= auc["difference"]["high"]
    assert set(evaluation.comparison["metrics"]) == {"roc_auc", "pr_auc", "brier", "log_loss"}
    assert {each["column"] for each in evaluation.slices} == {"carrier", "month"}
    assert evaluation.latency["candidate"]["p95"] > 0
    assert evaluation.sandbox in {"bubblewrap", "filter", "limits"}
    assert Event.objects.filter(fields__action="registry.evaluation_succeeded").exists()


def test_the_same_question_is_not_asked_twice_and_the_same_seed_gives_the_same_digest(
    versions, heldout, scientist, actor, run_jobs
):
    champion, candidate = versions
    rows = heldout()
    first = ask(actor, scientist, candidate, champion, rows)
    assert ask(actor, scientist, candidate, champion, rows) == first
    run_jobs()
    first.refresh_from_db()
    digest, first_id = first.result_sha256, first.pk
    Evaluation.objects.filter(pk=first_id).update(status="failed", result_sha256="")
    again = ask(actor, scientist, candidate, champion, rows)
    run_jobs()
    again.refresh_from_db()
    assert again.pk != first_id
    assert again.result_sha256 == digest


def test_few_days_say_inconclusive_instead_of_a_number(versions, heldout, scientist, actor, run_jobs):
    evaluation = ask(actor, scientist, versions[1], versions[0], heldout(days=3))
    run_jobs()
    evaluation.refresh_from_db()
    difference = evaluation.comparison["metrics"]["roc_auc"]["difference"]
    assert difference["low"] is None
    assert difference["reason"]


def test_a_model_that_never_ends_is_stopped_and_the_worker_goes_on(
    make_model, make_version, model_files, heldout, scientist, actor, run_jobs, monkeypatch
):
    monkeypatch.setattr(
        evaluation_tasks,
        "LIMITS",
        evaluation_tasks.Limits(cpu_seconds=4, wall_seconds=20, memory_bytes=3 << 30),
    )
    import pickle

    class Endless:
        def __reduce__(self):
            return (exec, ("while True: pass",))

    model = make_model()
    endless = make_version(model, files={**model_files(1), "model.pkl": pickle.dumps(Endless())})
    good = make_version(model, files=model_files(1))
    rows = heldout()
    stuck = ask(actor, scientist, endless, None, rows)
    begun = time.monotonic()
    run_jobs()
    assert time.monotonic() - begun < 25
    stuck.refresh_from_db()
    assert stuck.status == "failed"
    assert "processor time" in stuck.failure or "time limit" in stuck.failure
    monkeypatch.undo()
    fine = ask(actor, scientist, good, None, rows)
    run_jobs()
    fine.refresh_from_db()
    assert fine.status == "succeeded"


def test_changed_bytes_are_noticed_before_anything_is_loaded(versions, heldout, scientist, actor, run_jobs):
    candidate = versions[1]
    overwrite(digest_in(candidate))
    evaluation = ask(actor, scientist, candidate, None, heldout())
    run_jobs()
    evaluation.refresh_from_db()
    assert evaluation.status == "failed"
    candidate.refresh_from_db()
    assert not candidate.is_intact


def test_data_without_the_models_columns_is_told(
    make_model, make_version, heldout, scientist, actor, run_jobs, model_files
):
    files = {**model_files(1)}
    files["MLmodel"] = files["MLmodel"].replace('"name": "distance"', '"name": "altitude"')
    version = make_version(make_model(), files=files)
    evaluation = ask(actor, scientist, version, None, heldout())
    run_jobs()
    evaluation.refresh_from_db()
    assert evaluation.status == "failed"
    assert "altitude" in evaluation.failure


def test_who_may_not_register_may_not_ask_and_a_stranger_sees_nothing(
    versions, heldout, scientist, stranger, actor
):
    rows = heldout()
    with pytest.raises(NotAllowed):
        ask(actor, stranger, versions[1], versions[0], rows)
    ask(actor, scientist, versions[1], versions[0], rows)
    assert Evaluation.objects.visible_to(actor(scientist)).count() == 1
    assert not Evaluation.objects.visible_to(actor(stranger)).exists()


def test_who_sees_the_model_but_not_the_data_reads_neither_its_name_nor_what_its_rows_say(
    versions, heldout, scientist, stranger, actor, client_for, token_client
):
    data = heldout()
    VersionDataset.objects.create(version=versions[1], dataset_version=data, role="holdout")
    figure = {"candidate": {"estimate": 0.7, "low": 0.6, "high": 0.8}}
    evaluation = Evaluation.objects.create(
        candidate=versions[1], dataset_version=data, dataset_digest=data.digest, status="succeeded", rows=1800,
        candidate_digest=versions[1].digest, result_sha256="b" * 64, comparison={"metrics": {"roc_auc": figure}},
        slices=[{"column": "carrier", "value": "AA", "rows": 600, **figure}],
    )  # fmt: skip
    model = versions[1].model
    grant(actor=actor(scientist), model=model, right="view", account=stranger, reason="Looks on.")

    def read():
        place = f"/models/{model.name}/versions/2"
        pages = [client_for(stranger).get(at).content.decode() for at in (evaluation.address, f"{place}/")]
        body = token_client(stranger).get(f"/api/v1{place}/evaluations").json()["items"][0]
        assert body == token_client(stranger).get(f"/api/v1/evaluations/{evaluation.pk}").json()
        return "".join(pages), body

    page, body = read()
    assert (body["dataset_version"], body["dataset_digest"], body["slices"]) == (None, "", [])
    assert body["comparison"]["metrics"]
    assert "data you may not see" in page
    assert "ROC AUC" in page
    Evaluation.objects.filter(pk=evaluation.pk).update(status="failed", failure="held-out-flights lack AA.")
    page, body = read()
    assert body["failure"] == "It failed on data you may not see; who may see it reads why."
    assert "Its evaluation failed" in page
    told = page + json.dumps(body)
    assert not [each for each in (data.dataset.name, data.digest, "carrier AA", "lack AA") if each in told]


def test_a_worker_that_lost_its_lease_cannot_finish(versions, heldout, scientist, actor):
    from core.actors import Actor

    evaluation = ask(actor, scientist, versions[1], None, heldout())
    services.begin(actor=Actor.system(), evaluation=evaluation, fence=1)
    services.begin(actor=Actor.system(), evaluation=evaluation, fence=2)
    outcome = services.Outcome({}, [], {}, 1, 1, "limits", None)
    with pytest.raises(Conflict):
        services.finish(actor=Actor.system(), evaluation=evaluation, fence=1, outcome=outcome)
    assert Job.objects.filter(kind="registry.evaluate").count() == 1


def test_an_evaluation_whose_job_gave_up_does_not_run_for_ever(versions, heldout, scientist, actor, run_jobs):
    from core.actors import Actor
    from core.jobs.lease import Lease

    evaluation = ask(actor, scientist, versions[1], None, heldout())
    services.begin(actor=Actor.system(), evaluation=evaluation, fence=1)
    Job.objects.filter(kind="registry.evaluate").update(status="failed", failure="Its workers died.")
    job = Job.objects.create(kind="registry.fail_stalled_evaluations")
    lease = Lease.take(job.pk)
    evaluation_tasks.fail_stalled_evaluations(lease)
    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.failure) == ("failed", "Its workers died.")


def test_the_page_and_rest_show_it_and_a_stranger_finds_neither(
    versions, heldout, scientist, stranger, actor, run_jobs, client_for, token_client
):
    evaluation = ask(actor, scientist, versions[1], versions[0], heldout())
    assert b"Waiting for a worker" in client_for(scientist).get(evaluation.address).content
    run_jobs()
    page = client_for(scientist).get(evaluation.address).content.decode()
    assert "ROC AUC" in page
    assert "carrier AA" in page
    body = token_client(scientist).get(f"/api/v1/evaluations/{evaluation.pk}").json()
    assert (body["status"], body["candidate"], body["champion"]) == ("succeeded", 2, 1)
    model = versions[1].model.name
    of_version = client_for(scientist).get(f"/models/{model}/versions/2/").content.decode()
    assert evaluation.address in of_version
    assert "Not evaluated yet" in client_for(scientist).get(f"/models/{model}/versions/1/").content.decode()
    below = f"/api/v1/models/{model}/versions/2/evaluations"
    assert [each["id"] for each in token_client(scientist).get(below).json()["items"]] == [str(evaluation.pk)]
    assert client_for(stranger).get(evaluation.address).status_code == 404
    for path in (f"/api/v1/evaluations/{evaluation.pk}", below):
        assert client_for(stranger).get(path).status_code == 404
