"""Models that really score, and the processes that serve them."""

import pickle
import uuid

import pytest

from deployments import services
from deployments.models import Clearance, Environment
from tests.deployments.processes import ServingProcesses
from tests.registry.conftest import make_model, make_version, tracking  # noqa: F401 - fixtures

SIGNATURE = (
    '[{"type": "long", "name": "hour", "required": true}, {"type": "string", "name": "carrier", "required": true},'
    ' {"type": "double", "name": "distance", "required": true}, {"type": "double", "name": "temp", "required": false}]'
)
MLMODEL = f"""\
flavors:
  python_function:
    loader_module: mlflow.sklearn
    model_path: model.pkl
    predict_fn: predict
  sklearn:
    pickled_model: model.pkl
    serialization_format: pickle
mlflow_version: 3.17.2
run_id: %(run_id)s
signature:
  inputs: '{SIGNATURE}'
  outputs: '[{{"type": "long", "required": true}}]'
"""
EXAMPLE = '{"dataframe_split": {"columns": ["hour", "carrier", "distance", "temp"], "data": [[5, "AA", 100.0, null]]}}'
ROW = {"hour": 5, "carrier": "AA", "distance": 100.0, "temp": 20.5}


def trained(seed: int) -> bytes:
    """A small real scikit-learn pipeline on made-up rows, as MLflow pickles it."""
    import numpy
    import pandas
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    draw = numpy.random.default_rng(seed)
    rows = 400
    frame = pandas.DataFrame(
        {
            "hour": draw.integers(0, 24, rows),
            "carrier": draw.choice(["AA", "UA", "DL"], rows),
            "distance": draw.random(rows) * 2000,
            "temp": draw.random(rows) * 30,
        }
    )
    late = (frame.hour / 24 + draw.random(rows) > 1).astype(int)
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["carrier"]), ("passthrough", ["hour", "distance"])
    )
    return pickle.dumps(make_pipeline(encode, LogisticRegression(max_iter=1000)).fit(frame, late))


@pytest.fixture(scope="session")
def model_files():
    """``model_files(seed)``: the files of a real MLflow model; each seed scores differently."""
    made: dict[int, dict] = {}

    def files(seed=1, **more):
        if seed not in made:
            made[seed] = {
                "MLmodel": MLMODEL,
                "model.pkl": trained(seed),
                "serving_input_example.json": EXAMPLE,
            }
        return {**made[seed], **more}

    return files


@pytest.fixture
def production(db):
    return Environment.objects.get(name="production")


@pytest.fixture
def staging(db):
    return Environment.objects.get(name="staging")


@pytest.fixture
def system():
    from core.actors import Actor

    return Actor.system()


@pytest.fixture
def deploy(system):
    """``deploy(version, environment)``: what approvals do once a request is approved."""

    def start(version, environment, rollout=None):
        endpoint = services.ensure_endpoint(actor=system, model=version.model, environment=environment)
        clearance = services.grant_clearance(
            actor=system,
            version=version,
            environment=environment,
            kind=Clearance.Kind.APPROVAL,
            evidence_sha256="0" * 64,
            reference=str(uuid.uuid4()),
        )
        return services.start_deployment(
            actor=system, endpoint=endpoint, version=version, clearance=clearance, rollout=rollout
        )

    return start


@pytest.fixture
def serving(transactional_db, settings, tmp_path_factory, test_database):
    """Agent, gateway and scorers as real processes on the test's database."""
    processes = ServingProcesses(tmp_path_factory.mktemp("d"), settings, test_database.name)
    yield processes
    processes.stop()


@pytest.fixture
def work():
    """``work()``: do the waiting jobs of deployments, as a worker of that queue would."""
    from core.jobs.models import Job
    from core.jobs.run import run_job

    def run():
        for job in Job.objects.due().filter(kind__startswith="deployments.").order_by("created_at"):
            run_job(job.pk)

    return run


@pytest.fixture
def bring_live(deploy, system, work):
    """Everything an agent would report, up to live or to the first canary step."""

    def bring(version, environment, rollout=None):
        deployment = deploy(version, environment, rollout)
        work()
        deployment.refresh_from_db()
        assert deployment.status == "starting", deployment.failure
        services.note_scorer_started(
            actor=system, deployment=deployment, agent="a", pid=1, socket="/s", sandbox="none"
        )
        services.note_scorer_ready(actor=system, deployment=deployment, fence=deployment.fence, about={})
        services.mark_healthy(actor=system, deployment=deployment, fence=deployment.fence)
        deployment.refresh_from_db()
        return deployment

    return bring
