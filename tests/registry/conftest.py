import json
import uuid

import pytest

from registry import services
from registry.models import ModelVersion, RegisteredModel
from registry.services.prompts import create_prompt_version
from tests.registry.tracking import Tracking


@pytest.fixture
def tracking(settings, tmp_path, scientist):
    """A tracking server with real files; ``tracking.add_run("r1")`` answers a source of the scientist."""
    server = Tracking(tmp_path / "mlflow-artifacts")
    server.owner = str(scientist.person_id)
    settings.TRACKING_SOCKET, settings.TRACKING_URL = "", server.url
    settings.TRACKING_SECRET = f"of {tmp_path.name}"
    settings.TRACKING_ARTIFACTS = str(server.artifacts)
    yield server
    server.stop()


@pytest.fixture
def make_model(scientist, actor):
    """``make_model("name")``: a registered model of the scientist."""

    def make(name="delays", by=None, **more) -> RegisteredModel:
        return services.create_model(actor=actor(by or scientist), name=name, **more)

    return make


@pytest.fixture
def make_row():
    """``make_row(model)``: a ready version as a row alone, for tests that need many."""

    def make(model, **more) -> ModelVersion:
        number = model.versions.count() + 1
        RegisteredModel.objects.filter(pk=model.pk).update(next_number=number + 1)
        return ModelVersion.objects.create(
            model=model, number=number, status="READY", digest="a" * 64, **more
        )

    return make


@pytest.fixture
def make_version(scientist, actor, tracking, run_jobs):
    """``make_version(model)``: a version that a worker has hashed."""

    def make(model, by=None, files=None, **data):
        run_id = uuid.uuid4().hex
        source = tracking.add_run(run_id, files, **{"owner": str((by or scientist).person_id), **data})
        version = services.create_version(
            actor=actor(by or scientist), model=model, source=source, run_id=run_id
        )
        run_jobs()
        version.refresh_from_db()
        return version

    return make


@pytest.fixture
def make_prompt(make_model, scientist, actor):
    """``make_prompt("ask", "Say {{what}}.", "…")``: a prompt with a version of each text; lists are chats."""

    def make(name, *texts, by=None, description="", **tags) -> RegisteredModel:
        model = make_model(name, by=by, tags={"mlflow.prompt.is_prompt": "true"})
        for text in texts:
            is_chat = not isinstance(text, str)
            said = {
                "mlflow.prompt.is_prompt": "true",
                "mlflow.prompt.text": json.dumps(text) if is_chat else text,
                "_mlflow_prompt_type": "chat" if is_chat else "text",
                **tags,
            }
            create_prompt_version(
                actor=actor(by or scientist),
                model=model,
                source="dummy-source",
                tags=said,
                description=description,
            )
        return model

    return make
