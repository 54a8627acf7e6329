"""Real processes: agent, scorers, gateway, journal, sealer; killed in the middle."""

import os
import signal
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pyarrow.parquet
import pytest
from django.db import connection, connections

from accounts.services import issue_token
from core.object_store import store
from deployments import services
from deployments.folders import journal_folder
from deployments.models import Deployment, LogSegment, Scorer, ScorerUsage, SealedJournal, TrafficCount
from deployments.sealing import seal_closed
from deployments.serving import journal
from tests.deployments.conftest import ROW
from tests.tampering import digest_in, overwrite

pytestmark = pytest.mark.django_db(transaction=True)
ONE = {"dataframe_records": [ROW]}


@pytest.fixture
def secret(scientist, actor):
    return issue_token(actor=actor(scientist), account=scientist, name="client", scopes=["predict"])[1]


@pytest.fixture
def live(serving, make_model, make_version, production, deploy, work, model_files):
    """``live(seed)``: a version of the model ``delays`` that answers in production."""
    made = {}

    def bring(seed=1, rollout=None, until="live"):
        model = made.setdefault("model", None) or make_model()
        made["model"] = model
        version = make_version(model, files=model_files(seed))
        deployment = deploy(version, production, rollout)
        serving.until_status(deployment, until, "failed", run=work)
        assert deployment.status == until, deployment.failure
        return deployment

    return bring


def rows_of(segment):
    with store().open_named(segment.key) as file:
        return pyarrow.parquet.read_table(file).to_pylist()


def sealed(system):
    """Every row of the log so far."""
    seal_closed(system, journal_folder())
    return [row for segment in LogSegment.objects.all() for row in rows_of(segment)]


def test_from_a_registered_version_to_a_logged_prediction(
    serving, live, secret, system, stranger, scientist, actor
):
    serving.start_agent()
    serving.start_gateway()
    deployment = live()
    scorer = Scorer.objects.get(deployment=deployment)
    assert scorer.sandbox in {"bubblewrap", "none"}
    serving.until(lambda: serving.predict(secret, ONE).status_code == 200, "a prediction is answered")
    sent = {"X_Event_Time": "2013-04-22T14:05:00-05:00", "X_Routing_Key": "flight 1"}
    answer = serving.predict(secret, ONE, **sent)
    assert answer.status_code == 200
    assert answer.headers["X-Model-Version"] == "1"
    (score,) = answer.json()["predictions"]
    assert 0 < score < 1
    prediction = answer.headers["X-Prediction-Id"]
    batch = serving.predict(secret, {"inputs": {name: [value] * 3 for name, value in ROW.items()}})
    assert len(batch.json()["predictions"]) == 3
    csv = b"hour,carrier,distance,temp\n5,AA,100.0,20.5\n"
    assert serving.predict(secret, csv, Content_Type="text/csv").json()["predictions"] == [score]

    # What is refused, and how.
    refused = serving.predict(secret, {"dataframe_records": [{**ROW, "hour": "five"}]})
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")
    assert refused.json()["errors"][0]["column"] == "hour"
    assert serving.predict("", ONE).status_code == 401
    assert serving.predict("cp_wrong", ONE).status_code == 401
    unknown = issue_token(actor=actor(stranger), account=stranger, name="x", scopes=["predict"])[1]
    assert serving.predict(unknown, ONE).status_code == 404
    assert (
        serving.predict(unknown, ONE).json()["detail"]
        == serving.predict(secret, ONE, model="none").json()["detail"]
    )
    narrow = issue_token(actor=actor(scientist), account=scientist, name="x", scopes=["view"])[1]
    assert serving.predict(narrow, ONE).status_code == 403
    for moment in ("yesterday", "0001-01-01T00:00:00+23:59", "1969-12-31T00:00:00Z", "2900-01-01T00:00:00Z"):
        answer = serving.predict(secret, ONE, X_Event_Time=moment)
        assert (answer.status_code, answer.json()["errors"][0]["column"]) == (400, "X-Event-Time")
    assert serving.predict(secret, b"x" * (17 << 20)).status_code == 413
    headers = {"Authorization": f"Bearer {secret}"}
    ping = serving.client.get("/endpoints/production/delays/ping", headers=headers)
    assert (ping.status_code, ping.json()["version"]) == (200, 1)
    assert serving.client.get("/endpoints/production/delays/ping").status_code == 401
    assert serving.client.get("/endpoints/production/delays/invocations", headers=headers).status_code == 405
    assert serving.client.get("/elsewhere").status_code == 404

    # What is left of it in the log.
    serving.until(lambda: list(journal_folder().glob("*.closed")), "the journal is closed")
    rows = sealed(system)
    by_id = {row["prediction_id"]: row for row in rows}
    row = by_id[prediction]
    assert row["score"] == score
    assert row["in_carrier"] == "AA"
    assert (row["status"], row["slot"], row["version"]) == (200, "stable", 1)
    assert row["deployment_id"] == str(deployment.pk)
    assert row["event_time"].isoformat() == "2013-04-22T19:05:00+00:00"
    first = batch.headers["X-Prediction-Id"]
    assert {f"{first}:0", f"{first}:1", f"{first}:2"} <= set(by_id)
    assert sum(row["status"] == 400 for row in rows) == 5
    assert any('"column":"hour"' in (row["issues"] or "") for row in rows)
    serving.until(lambda: TrafficCount.objects.filter(refused__gt=0).exists(), "the traffic is counted")
    serving.until(lambda: ScorerUsage.objects.filter(cpu_seconds__gt=0).exists(), "use is metered")


def test_a_revoked_token_ends_within_moments(serving, live, scientist, actor):
    from accounts.services import revoke_token

    token, secret = issue_token(actor=actor(scientist), account=scientist, name="x", scopes=["all"])
    serving.start_agent()
    serving.start_gateway()
    live()
    serving.until(lambda: serving.predict(secret, ONE).status_code == 200, "a prediction is answered")
    revoke_token(actor=actor(scientist), token=token)
    serving.until(lambda: serving.predict(secret, ONE).status_code == 401, "the token is refused", 3)


class Callers:
    """Clients that keep asking and remember what they were answered."""

    def __init__(self, serving, secret) -> None:
        self.serving, self.secret = serving, secret
        self.answers: dict[str, float] = {}
        self.failures: list[int] = []
        self.stopping = threading.Event()
        self.pool = ThreadPoolExecutor(4)
        self.work = [self.pool.submit(self._ask, number) for number in range(4)]

    def _ask(self, caller: int) -> None:
        number = 0
        with httpx.Client(base_url=str(self.serving.client.base_url), timeout=40) as client:
            while not self.stopping.is_set():
                number += 1
                body = {"dataframe_records": [{**ROW, "distance": caller * 10_000 + number}]}
                headers = {"Authorization": f"Bearer {self.secret}"}
                try:
                    answer = client.post(
                        "/endpoints/production/delays/invocations", json=body, headers=headers
                    )
                except httpx.TransportError:
                    time.sleep(0.05)
                    continue
                if answer.status_code == 200:
                    self.answers[answer.headers["X-Prediction-Id"]] = answer.json()["predictions"][0]
                else:
                    self.failures.append(answer.status_code)

    def stop(self) -> None:
        self.stopping.set()
        for each in self.work:
            each.result(60)
        self.pool.shutdown()


def test_kill_9_of_scorer_agent_and_gateway_loses_and_doubles_nothing(serving, live, secret, system):
    serving.start_agent()
    serving.start_gateway()
    deployment = live()
    serving.until(lambda: serving.predict(secret, ONE).status_code == 200, "a prediction is answered")
    callers = Callers(serving, secret)

    def answered_more(what):
        before = len(callers.answers)
        serving.until(lambda: len(callers.answers) > before + 20, f"predictions are answered {what}")

    answered_more("at first")
    os.kill(Scorer.objects.get(deployment=deployment).pid, signal.SIGKILL)
    answered_more("after the scorer was killed")
    assert not callers.failures, "a killed scorer only delays its callers"
    serving.kill("gateway")
    serving.start_gateway()
    answered_more("after the gateway was killed")
    pid = Scorer.objects.get(deployment=deployment).pid
    serving.kill("agent")
    serving.until(
        lambda: not os.path.exists(f"/proc/{pid}") or _is_zombie(pid), "the scorer dies with its agent"
    )
    serving.start_agent()
    answered_more("after the agent was killed")
    callers.stop()
    serving.running.pop("gateway").terminate()
    serving.until(
        lambda: not list(journal_folder().glob("*.open")) or journal.adopt(journal_folder()), "it is closed"
    )
    serving.until(lambda: not any(_locked(path) for path in journal_folder().glob("*.open")), "nobody writes")
    rows = [row for row in sealed(system) if row["status"] == 200]
    logged = {row["prediction_id"]: row["score"] for row in rows}
    assert len(logged) == len(rows), "nothing twice"
    missing = set(callers.answers) - set(logged)
    assert not missing, f"{len(missing)} of {len(callers.answers)} answered predictions are not in the log"
    assert all(logged[each] == callers.answers[each] for each in callers.answers)
    deployment.refresh_from_db()
    assert deployment.status == "live"


def _is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _locked(path):
    import fcntl

    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_canary_gets_its_share_sticky_and_then_everything(serving, live, secret, work):
    serving.start_agent()
    serving.start_gateway()
    live(1)
    rollout = {
        "steps": [{"weight": 30, "analyse": {"max_error_rate": 0.05, "min_requests": 20}}, {"weight": 100}],
        "shadow_former": True,
    }
    second = live(2, rollout, until="rolling_out")
    versions = {}

    def ask(number):
        answer = serving.predict(secret, ONE, X_Routing_Key=f"key {number}")
        versions.setdefault(number, set()).add(answer.headers["X-Model-Version"])
        return answer.headers["X-Model-Version"]

    serving.until(lambda: "2" in {ask(number) for number in range(15)}, "the canary answers")
    versions.clear()
    for _ in range(2):
        for number in range(100):
            ask(number)
    assert all(len(seen) == 1 for seen in versions.values()), "the same key, the same version"
    share = sum(seen == {"2"} for seen in versions.values())
    assert 10 < share < 55
    serving.until_status(second, "live", run=work)
    serving.until(
        lambda: serving.predict(secret, ONE).headers.get("X-Model-Version") == "2", "all get version 2"
    )
    answer = serving.predict(secret, ONE)
    time.sleep(1.5)
    from core.actors import Actor

    rows = [
        row for row in sealed(Actor.system()) if row["prediction_id"] == answer.headers["X-Prediction-Id"]
    ]
    assert {(row["slot"], row["version"]) for row in rows} == {("stable", 2), ("shadow", 1)}
    assert rows[0]["score"] != rows[1]["score"]


def test_rolling_back_to_the_warm_version_is_one_step(serving, live, secret, operator, actor):
    serving.start_agent()
    serving.start_gateway()
    first, second = live(1), live(2)
    serving.until(
        lambda: serving.predict(secret, ONE).headers.get("X-Model-Version") == "2", "version 2 answers"
    )
    callers = Callers(serving, secret)
    serving.until(lambda: len(callers.answers) > 20, "callers are answered before the rollback")
    started = time.monotonic()
    services.roll_back(
        actor=actor(operator),
        endpoint=first.endpoint,
        to_deployment=first,
        reason="Worse in its first month.",
    )
    serving.until(
        lambda: serving.predict(secret, ONE).headers.get("X-Model-Version") == "1", "version 1 answers", 10
    )
    assert time.monotonic() - started < 5
    second.refresh_from_db()
    assert second.status == "rolled_back"
    serving.until(
        lambda: Scorer.objects.get(deployment=second).status == "stopped", "the scorer of version 2 has ended"
    )
    callers.stop()
    assert not callers.failures, "nobody notices a rollback but by the version"


def test_changed_bytes_are_never_loaded(
    serving, make_model, make_version, production, deploy, work, model_files
):
    serving.start_agent()
    version = make_version(make_model(), files=model_files(1))
    content = bytearray(store().open(digest_in(version)).read())
    content[100] ^= 1
    overwrite(digest_in(version), bytes(content))
    deployment = deploy(version, production)
    serving.until_status(deployment, "failed", "live", run=work)
    assert (deployment.status, deployment.failure_code) == ("failed", "digest_mismatch")
    assert deployment.endpoint.live is None


def test_a_model_that_cannot_be_loaded_fails_its_deployment(
    serving, make_model, make_version, production, deploy, work, model_files
):
    serving.start_agent()
    version = make_version(make_model(), files=model_files(1, **{"model.pkl": b"not a pickle"}))
    deployment = deploy(version, production)
    serving.until_status(deployment, "failed", "live", run=work)
    assert deployment.failure_code == "cannot_load"
    assert "UnpicklingError" in deployment.failure


def test_the_gateway_serves_on_while_the_database_is_away(serving, live, secret):
    serving.start_agent()
    serving.start_gateway()
    live()
    serving.until(lambda: serving.predict(secret, ONE).status_code == 200, "a prediction is answered")
    time.sleep(1.5)
    serving.environment["DATABASE_URL"] = serving.environment["DATABASE_URL"].replace("port=", "port=1 #")
    parts = [
        part for part in serving.environment["DATABASE_URL"].split() if not part.startswith(("#", "port"))
    ]
    serving.environment["DATABASE_URL"] = " ".join([*parts, "port=1"])
    serving.until(lambda: (serving.folder / "run" / "routing.json").exists(), "the table is kept")
    time.sleep(11)
    serving.kill("gateway")
    serving.start_gateway()
    assert serving.predict(secret, ONE).status_code == 200
    assert serving.predict("cp_" + "x" * 49, ONE).status_code in {401, 503}


def test_sealing_twice_or_dying_in_between_doubles_nothing(serving, live, secret, system, monkeypatch):
    serving.start_agent()
    serving.start_gateway()
    live()
    serving.until(lambda: serving.predict(secret, ONE).status_code == 200, "a prediction is answered")
    ids = {serving.predict(secret, ONE).headers["X-Prediction-Id"] for _ in range(10)}
    serving.until(lambda: not list(journal_folder().glob("*.open")), "the journal is closed")
    kept = {path: path.read_bytes() for path in journal_folder().glob("*.closed")}

    def crash(**_):
        raise RuntimeError("killed before the transaction")

    with monkeypatch.context() as patched:
        patched.setattr("deployments.sealing.note_sealed", crash)
        with pytest.raises(RuntimeError):
            seal_closed(system, journal_folder())
    assert not LogSegment.objects.exists()
    rows = sealed(system)
    for path, content in kept.items():
        path.write_bytes(content)  # as if killed before the file was deleted
    rows = sealed(system)
    found = [row["prediction_id"] for row in rows if row["prediction_id"] in ids]
    assert sorted(found) == sorted(ids)
    assert SealedJournal.objects.count() == len(kept)
    assert not list(journal_folder().glob("*.closed"))


def test_rollbacks_that_race_end_in_one_truth(
    make_model, make_version, production, deploy, work, system, operator, actor
):
    model = make_model()

    def bring(version):
        deployment = deploy(version, production)
        work()
        deployment.refresh_from_db()
        services.note_scorer_started(
            actor=system, deployment=deployment, agent="a", pid=1, socket="/s", sandbox="none"
        )
        services.note_scorer_ready(actor=system, deployment=deployment, fence=deployment.fence, about={})
        services.mark_healthy(actor=system, deployment=deployment, fence=deployment.fence)
        deployment.refresh_from_db()
        return deployment

    first, second = bring(make_version(model)), bring(make_version(model))
    outcomes = []

    def roll_back(_):
        try:
            services.roll_back(
                actor=actor(operator),
                endpoint=first.endpoint,
                to_deployment=first,
                reason=f"race {uuid.uuid4()}",
            )
            outcomes.append("done")
        except Exception as error:
            outcomes.append(type(error).__name__)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(roll_back, range(8)))
    assert outcomes.count("done") == 1
    assert set(outcomes) == {"done", "Conflict"}
    assert Deployment.objects.filter(status="live").get() == first
    second.refresh_from_db()
    assert second.status == "rolled_back"
    assert model.aliases.get(name="champion").version_id == first.version_id
    connection.close()


WORKER = """
import os, signal
import django
django.setup()
from deployments.services import deploying
from core.jobs.run import run_job
from django.db import connection

after = deploying.record

def die(**about):
    after(**about)
    if about["action"] == "deployments.starting":
        os.kill(os.getpid(), signal.SIGKILL)  # every row is written, nothing is committed

deploying.record = die
run_job("%s")
"""


def test_kill_9_of_a_worker_in_the_middle_starts_the_deployment_once(
    serving, make_model, make_version, production, deploy, work
):
    import subprocess
    import sys
    from datetime import timedelta

    from django.utils import timezone

    from audit.models import Event
    from controlplane.stack.processes import ROOT
    from core.jobs.models import Job
    from core.jobs.run import reap

    deployment = deploy(make_version(make_model()), production)
    job = Job.objects.get(kind="deployments.start")
    environment = {**serving.environment, "DJANGO_SETTINGS_MODULE": "controlplane.settings"}
    killed = subprocess.run([sys.executable, "-c", WORKER % job.pk], cwd=ROOT, env=environment, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    deployment.refresh_from_db()
    job.refresh_from_db()
    assert (deployment.status, deployment.fence, job.status) == ("queued", 0, "running")
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    reap()
    work()
    deployment.refresh_from_db()
    assert (deployment.status, deployment.fence) == ("starting", 1)
    statuses = list(deployment.transitions.order_by("at", "id").values_list("status", flat=True))
    assert statuses == ["queued", "leased", "starting"]
    assert Event.objects.filter(fields__action="deployments.starting").count() == 1
