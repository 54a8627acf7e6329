"""A registry on MLflow's own server, made by MLflow's own client, for imports to bring over."""

from tests.registry.tracking import FILES

ODD = "clears\x1b[2Jthe screen"


def fill(running, folder):
    """Five models: files by hand, a logged model of scikit-learn, a copy, and what cannot come."""
    from mlflow import MlflowClient

    client = MlflowClient(running.url)
    running.runs = []
    client.create_registered_model("delays", tags={"team": "ops"}, description="Delays of flights.")
    for _ in range(4):
        running.runs.append(log_run(client, folder))
        register(client, "delays", running.runs[-1])
    client.update_model_version("delays", "1", description="The first.")
    client.set_model_version_tag("delays", "1", "checked", "yes")
    client.transition_model_version_stage("delays", "3", "Staging")
    client.transition_model_version_stage("delays", "4", "Production")
    client.delete_model_version("delays", "2")
    client.delete_run(running.runs[3])
    client.set_registered_model_alias("delays", "best", "1")
    client.set_registered_model_alias("delays", "champion", "3")

    client.create_registered_model("copies")
    client.copy_model_version("models:/delays/1", "copies")
    client.create_registered_model("elsewhere")
    client.create_model_version("elsewhere", "s3://a-bucket/model", running.runs[0])
    client.create_registered_model("taken")
    register(client, "taken", running.runs[0])
    client.create_registered_model(ODD)
    for text in ("Greet {{name}}.", "Say hello to {{name}}."):
        client.register_prompt("greeting", text)
    client.set_prompt_alias("greeting", "polite", 2)
    log_with_scikit_learn(running.url)


def log_run(client, folder):
    run_id = client.create_run("0", run_name="training").info.run_id
    client.log_param(run_id, "depth", "3")
    client.log_metric(run_id, "roc_auc", 0.7, step=1)
    client.log_metric(run_id, "roc_auc", 0.75, step=2)
    client.set_tag(run_id, "mlflow.source.git.commit", "4be07d2a")
    files = folder / run_id
    files.mkdir()
    for name, content in FILES.items():
        content = content.replace("%(run_id)s", run_id).encode() if isinstance(content, str) else content
        (files / name).write_bytes(content)
    (files / "data with space").mkdir()
    (files / "data with space" / "50% off é.bin").write_bytes(b"\x00" * 3_000_000)
    client.log_artifacts(run_id, str(files), "model")
    client.set_terminated(run_id)
    return run_id


def register(client, name, run_id):
    client.create_model_version(name, f"{client.get_run(run_id).info.artifact_uri}/model", run_id)


def log_with_scikit_learn(url):
    import mlflow
    from sklearn.linear_model import LinearRegression

    mlflow.set_tracking_uri(url)
    try:
        with mlflow.start_run(run_name="fitting"):
            mlflow.log_metric("mae", 4.5)
            mlflow.sklearn.log_model(
                LinearRegression().fit([[0], [1]], [0, 1]),
                name="model",
                registered_model_name="fares",
                pip_requirements=["scikit-learn"],
            )
    finally:
        mlflow.set_tracking_uri(None)  # the environment counts again
