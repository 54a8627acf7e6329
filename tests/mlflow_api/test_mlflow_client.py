"""The locked MLflow client, unmodified, against edge, web and the tracking server."""

import json
import os
import time
import uuid
from pathlib import Path

import pytest

from registry.access.services import grant
from registry.models import ModelVersion, RegisteredModel
from registry.prompts.content import is_prompt, prompt_of, tags_of_people
from registry.snippets import of_prompt
from tests.webhooks.conftest import receiver  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fitted():
    """A small classifier, its inputs and what it says of them."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    inputs = np.random.default_rng(7).random((60, 3))
    model = LogisticRegression().fit(inputs, inputs[:, 0] > 0.5)
    return model, inputs, model.predict(inputs)


@pytest.fixture
def logged(sign_in, scientist, fitted):
    """``logged()``: the scientist logs the classifier and registers it; answers run id and name."""
    import mlflow
    from mlflow.models import infer_signature

    def log(name=""):
        name = name or f"late-{uuid.uuid4().hex[:8]}"
        client = sign_in(scientist)
        mlflow.set_experiment(f"exp-{name}")
        with mlflow.start_run() as run:
            mlflow.log_params({"depth": 3})
            mlflow.log_metric("auc", 0.7)
            mlflow.log_dict({"a": [1]}, "notes/deep/a.json")
            # Naming signature and requirements saves the client its search for them (a minute).
            mlflow.sklearn.log_model(
                fitted[0],
                name="model",
                registered_model_name=name,
                signature=infer_signature(fitted[1], fitted[2]),
                pip_requirements=["scikit-learn"],
            )
        return client, run.info, name

    return log


def refused(call, *codes):
    """The error code of a call that must fail with one of these."""
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException) as error:
        call()
    assert error.value.error_code in codes, error.value
    return error.value.error_code


def test_a_model_is_logged_registered_found_and_loaded(logged, fitted):
    import mlflow

    client, run, name = logged()
    _, inputs, expected = fitted
    version = client.get_model_version(name, "1")
    assert (version.status, version.run_id) == ("READY", run.run_id)
    row = ModelVersion.objects.get()
    assert row.digest
    assert row.metrics["auc"] == 0.7
    assert [each.name for each in client.search_registered_models(f"name = '{name}'")] == [name]
    assert [each.version for each in client.search_model_versions(f"run_id = '{run.run_id}'")] == ["1"]
    client.set_registered_model_alias(name, "best", "1")
    assert client.get_model_version_by_alias(name, "best").version == "1"
    client.set_registered_model_tag(name, "team", "ops")
    client.set_model_version_tag(name, "1", "checked", "yes")
    assert client.get_registered_model(name).tags == {"team": "ops"}
    for address in (f"models:/{name}@best", f"models:/{name}/1", f"models:/{name}/latest"):
        assert (mlflow.pyfunc.load_model(address).predict(inputs) == expected).all()
    client.create_model_version(name, f"runs:/{run.run_id}/model", run.run_id)
    assert client.get_model_version(name, "2").status == "READY"
    first, second = ModelVersion.objects.order_by("number")
    assert (second.digest, second.logged_model_id) == (first.digest, first.logged_model_id)
    client.delete_registered_model_alias(name, "best")
    client.delete_model_version(name, "1")
    client.delete_registered_model(name)
    assert client.search_registered_models() == []


def test_runs_and_artifacts_work_as_clients_expect(logged, sign_in, scientist, tmp_path):
    import mlflow

    client, run, name = logged()
    assert client.get_run(run.run_id).data.params == {"depth": "3"}
    assert [each.info.run_id for each in client.search_runs([run.experiment_id], "metrics.auc > 0.5")] == [
        run.run_id
    ]
    assert [each.name for each in client.search_experiments()] == [f"exp-{name}"]
    assert mlflow.artifacts.load_dict(f"runs:/{run.run_id}/notes/deep/a.json") == {"a": [1]}
    local = mlflow.artifacts.download_artifacts(
        run_id=run.run_id, artifact_path="notes", dst_path=str(tmp_path)
    )
    assert (tmp_path / "notes" / "deep" / "a.json").exists(), local
    found = client.search_logged_models([run.experiment_id])
    assert [each.source_run_id for each in found] == [run.run_id]
    client.log_metric(run.run_id, "nan", float("nan"))
    client.delete_run(run.run_id)
    client.restore_run(run.run_id)


def test_for_a_stranger_nothing_of_it_exists(logged, sign_in, make_account, stranger):
    import mlflow

    _, run, name = logged()
    logged_model = ModelVersion.objects.get().logged_model_id
    absent = "RESOURCE_DOES_NOT_EXIST"
    for account in (make_account("colleague", "data-scientist"), stranger):
        client = sign_in(account)
        assert client.search_experiments() == []
        assert client.search_runs([run.experiment_id]) == []
        assert client.search_runs([run.experiment_id], "tags.`controlplane.owner` != 'x'") == []
        assert client.search_logged_models([run.experiment_id]) == []
        assert client.search_registered_models() == []
        assert client.search_model_versions() == []
        assert client.get_experiment_by_name(f"exp-{name}") is None
        for call in (
            lambda client=client: client.get_run(run.run_id),
            lambda client=client: client.get_experiment(run.experiment_id),
            lambda client=client: client.get_metric_history(run.run_id, "auc"),
            lambda client=client: client.list_artifacts(run.run_id),
            lambda client=client: client.get_logged_model(logged_model),
            lambda client=client: client.get_registered_model(name),
            lambda client=client: client.get_model_version_download_uri(name, "1"),
            lambda client=client: client.get_model_version_by_alias(name, "latest"),
        ):
            refused(call, absent)
        # Whoever may log nothing at all is told that first.
        for call in (
            lambda client=client: client.set_tag(run.run_id, "a", "b"),
            lambda client=client: client.delete_run(run.run_id),
            lambda client=client: client.create_run(run.experiment_id),
            lambda client=client: client.delete_experiment(run.experiment_id),
            lambda client=client: client.delete_logged_model(logged_model),
        ):
            refused(call, absent if account != stranger else "PERMISSION_DENIED")
        with pytest.raises(Exception, match="404"):
            mlflow.artifacts.load_text(f"{run.artifact_uri}/notes/deep/a.json")


def test_whoever_is_granted_a_model_loads_it_and_sees_its_run_but_changes_nothing(
    logged, sign_in, make_account, scientist, actor, fitted
):
    import mlflow

    _, run, name = logged()
    colleague = make_account("colleague", "data-scientist")
    model = RegisteredModel.objects.get(name=name)
    grant(actor=actor(scientist), model=model, right="view", account=colleague, reason="They review it.")
    client = sign_in(colleague)
    assert (mlflow.pyfunc.load_model(f"models:/{name}/1").predict(fitted[1]) == fitted[2]).all()
    assert client.get_run(run.run_id).data.metrics == {"auc": 0.7}
    refused(lambda: client.set_tag(run.run_id, "a", "b"), "PERMISSION_DENIED")
    refused(lambda: client.set_registered_model_tag(name, "a", "b"), "PERMISSION_DENIED")


def test_reviewers_read_everything_and_log_nothing(logged, sign_in, reviewer, fitted):
    import mlflow

    _, run, name = logged()
    client = sign_in(reviewer)
    assert len(client.search_runs([run.experiment_id])) == 1
    assert (mlflow.pyfunc.load_model(f"models:/{name}/1").predict(fitted[1]) == fitted[2]).all()
    refused(lambda: client.create_run("0"), "PERMISSION_DENIED")
    refused(lambda: client.set_tag(run.run_id, "a", "b"), "PERMISSION_DENIED")


def test_a_version_keeps_its_bytes_when_the_run_changes_its_own(logged, sign_in, fitted):
    import mlflow

    client, _, name = logged()
    source = client.get_model_version(name, "1").source
    client.delete_logged_model(source.removeprefix("models:/"))
    assert (mlflow.pyfunc.load_model(f"models:/{name}/1").predict(fitted[1]) == fitted[2]).all()


def test_a_protected_alias_answers_with_the_address_of_the_request(logged):
    client, _, name = logged()
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match=r"http://127\.0\.0\.1:\d+/approvals/[0-9a-f-]{36}") as error:
        client.set_registered_model_alias(name, "champion", "1")
    assert error.value.error_code == "PERMISSION_DENIED"
    with pytest.raises(MlflowException) as again:
        client.transition_model_version_stage(name, "1", "Production")
    assert str(again.value).rsplit("/", 2)[-2:] == str(error.value).rsplit("/", 2)[-2:]


def test_a_token_without_the_scope_is_told_so(sign_in, scientist):
    client = sign_in(scientist, ["predict"])
    for call in (client.search_experiments, lambda: client.create_run("0"), client.search_registered_models):
        refused(call, "PERMISSION_DENIED")
    client = sign_in(scientist, ["view"])
    assert client.search_experiments() == []
    refused(lambda: client.create_run("0"), "PERMISSION_DENIED")


def test_prompts_are_registered_found_and_loaded(sign_in, scientist, make_account):
    from mlflow import genai

    client, name = sign_in(scientist), f"ask-{uuid.uuid4().hex[:8]}"
    genai.register_prompt(name=name, template="Say {{what}}.", commit_message="first", tags={"team": "ops"})
    genai.register_prompt(name=name, template=[{"role": "user", "content": "Say {{what}}!"}])
    genai.set_prompt_alias(name, alias="best", version=1)
    assert genai.load_prompt(f"prompts:/{name}@best").format(what="hi") == "Say hi."
    assert genai.load_prompt(name, version=2).template == [{"role": "user", "content": "Say {{what}}!"}]
    assert genai.load_prompt(f"prompts:/{name}@latest").version == 2
    assert [each.name for each in genai.search_prompts(f"name = '{name}'")] == [name]
    assert [each.version for each in client.search_prompt_versions(name)] == [2, 1]
    assert client.search_registered_models() == []
    row = ModelVersion.objects.get(number=1)
    assert (row.status, row.description, len(row.digest)) == ("READY", "first", 64)
    sign_in(make_account("colleague", "data-scientist"))
    assert genai.search_prompts() == []
    refused(lambda: genai.load_prompt(name, version=1, allow_missing=False), "RESOURCE_DOES_NOT_EXIST")


def test_what_the_client_keeps_with_a_prompt_is_what_its_page_shows(sign_in, scientist):
    import mlflow
    from mlflow import genai
    from mlflow.entities.model_registry import PromptModelConfig

    sign_in(scientist)
    name = f"chat-{uuid.uuid4().hex[:8]}"
    chat = [
        {"role": "system", "content": "Be {{how}}."},
        {"role": "user", "content": "{{ who.name }}: {{what}}"},
    ]
    form = {"type": "object", "properties": {"answer": {"type": "string"}}}
    config = PromptModelConfig(model_name="m-1", max_tokens=40, stop_sequences=["END"])
    told = genai.register_prompt(
        name=name, template=chat, response_format=form, model_config=config, tags={"team": "ops"}
    )
    version = ModelVersion.objects.get()
    prompt = prompt_of(version)
    assert [{"role": each.role, "content": each.text} for each in prompt.messages] == chat
    assert set(prompt.variables) == told.variables == {"how", "who.name", "what"}
    assert json.loads(prompt.response_format) == told.response_format == form
    assert prompt.settings == [("model_name", "m-1"), ("max_tokens", "40"), ("stop_sequences", "END")]
    assert [tag.key for tag in tags_of_people(version.tags.all())] == ["team"]
    assert is_prompt(version.model)
    code = of_prompt(version, prompt.variables, [])[0].code
    call = code.splitlines()[-2:]
    known = {"mlflow": mlflow}
    exec("\n".join(call), known)  # what people copy, to the letter
    assert known["prompt"].version == 1


def test_large_files_come_to_us_where_a_client_would_rather_send_parts(
    sign_in, scientist, monkeypatch, tmp_path
):
    import mlflow

    for name in ("UPLOAD", "DOWNLOAD"):
        monkeypatch.setenv(f"MLFLOW_ENABLE_PROXY_MULTIPART_{name}", "true")
        monkeypatch.setenv(f"MLFLOW_MULTIPART_{name}_MINIMUM_FILE_SIZE", str(1 << 20))
    sign_in(scientist)
    mlflow.set_experiment(f"large-{uuid.uuid4().hex[:8]}")
    content = os.urandom(3 << 20)
    (tmp_path / "large.bin").write_bytes(content)
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(tmp_path / "large.bin"))
    got = mlflow.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path="large.bin", dst_path=str(tmp_path / "got")
    )
    assert Path(got).read_bytes() == content


def test_webhooks_are_kept_tested_and_sent_to(sign_in, scientist, admin, receiver):
    from mlflow.entities.webhook import WebhookEvent

    event = WebhookEvent("registered_model", "created")
    client = sign_in(scientist)
    refused(lambda: client.create_webhook("ci", receiver.url, [event]), "PERMISSION_DENIED")
    client = sign_in(admin)
    made = client.create_webhook("ci", receiver.url, [event], description="builds", secret="known")
    assert [each.webhook_id for each in client.list_webhooks()] == [made.webhook_id]
    assert client.get_webhook(made.webhook_id).description == "builds"
    result = client.test_webhook(made.webhook_id)
    assert (result.success, result.response_status, result.response_body) == (True, 200, "thanks")
    sign_in(scientist).create_registered_model("delays")
    deadline = time.monotonic() + 20
    while len(receiver.got) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert json.loads(receiver.got[1][2])["data"]["name"] == "delays"
    client = sign_in(admin)
    assert client.update_webhook(made.webhook_id, status="DISABLED").status.value == "DISABLED"
    client.delete_webhook(made.webhook_id)
    assert list(client.list_webhooks()) == []


def test_traces_are_their_makers_alone(sign_in, scientist, reviewer, make_account):
    import mlflow
    from mlflow import MlflowClient

    client = sign_in(scientist)
    mlflow.set_experiment(f"traced-{uuid.uuid4().hex[:8]}")
    with mlflow.start_span("answer") as span:
        span.set_inputs({"question": "Why late?"})
        span.set_outputs({"answer": "Fog."})
    mlflow.flush_trace_async_logging()
    trace_id, place = span.trace_id, mlflow.get_experiment_by_name(mlflow.search_experiments()[0].name)

    def found(text=None):
        traces = mlflow.search_traces(
            locations=[place.experiment_id], filter_string=text, return_type="list", include_spans=False
        )
        return [each.info.trace_id for each in traces]

    assert found() == found("attributes.status = 'OK'") == [trace_id]
    whole = mlflow.get_trace(trace_id)
    assert [each.outputs for each in whole.data.spans] == [{"answer": "Fog."}]
    mlflow.set_trace_tag(trace_id, "aTagOfMyOwn", "yes")
    mlflow.log_feedback(trace_id=trace_id, name="good", value=True, metadata={"byWhom": "me"})
    again = mlflow.get_trace(trace_id)
    assert again.info.tags["aTagOfMyOwn"] == "yes"
    assert [(each.name, each.value) for each in again.info.assessments] == [("good", True)]
    sign_in(make_account("colleague", "data-scientist"))
    assert found() == []
    for text in ("tags.`controlplane.owner` != 'x'", "tags.aTagOfMyOwn = 'yes'"):
        assert found(text) == []
    with pytest.raises(Exception, match=r"OR|Invalid"):
        found("attributes.status = 'OK' OR attributes.status = 'OK'")
    absent = "RESOURCE_DOES_NOT_EXIST"
    refused(lambda: mlflow.set_trace_tag(trace_id, "a", "b"), absent)
    refused(lambda: mlflow.delete_trace_tag(trace_id, "aTagOfMyOwn"), absent)
    refused(lambda: mlflow.log_feedback(trace_id=trace_id, name="bad", value=True), absent)
    refused(lambda: MlflowClient().delete_traces(place.experiment_id, trace_ids=[trace_id]), absent)
    refused(lambda: MlflowClient().delete_traces(place.experiment_id, max_timestamp_millis=1 << 50), absent)
    assert mlflow.get_trace(trace_id) is None
    sign_in(reviewer)
    assert found() == [trace_id]
    refused(lambda: mlflow.set_trace_tag(trace_id, "a", "b"), "PERMISSION_DENIED")
    client = sign_in(scientist)
    assert client.delete_traces(place.experiment_id, trace_ids=[trace_id]) == 1
    assert found() == []
