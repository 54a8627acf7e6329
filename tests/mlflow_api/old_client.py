"""What a script of MLflow 2's first days does; run by an interpreter that has that client alone.

``python old_client.py NAME``, with MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN set, prints JSON.
"""

import json
import sys

import mlflow
import pandas
from mlflow import MlflowClient


class Doubled(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return model_input["x"] * 2


name = sys.argv[1]
client = MlflowClient()
mlflow.set_experiment(f"exp-{name}")
with mlflow.start_run() as run:
    mlflow.log_param("depth", 3)
    mlflow.log_metric("auc", 0.7)
    mlflow.pyfunc.log_model("model", python_model=Doubled(), pip_requirements=["pandas"])
source = f"runs:/{run.info.run_id}/model"
version = mlflow.register_model(source, name)
client.set_registered_model_tag(name, "team", "ops")
client.set_model_version_tag(name, version.version, "checked", "yes")
client.update_model_version(name, version.version, description="first")
client.transition_model_version_stage(name, version.version, "Staging")
addresses = [f"models:/{name}/{version.version}", f"models:/{name}/Staging"]
has_aliases = hasattr(client, "set_registered_model_alias")
if has_aliases:
    client.set_registered_model_alias(name, "best", version.version)
    addresses.append(f"models:/{name}@best")
inputs = pandas.DataFrame({"x": [1, 2]})
try:
    client.transition_model_version_stage(name, version.version, "Production")
    refusal = ""
except Exception as error:
    refusal = str(error)
found = {
    "client": mlflow.__version__,
    "has_aliases": has_aliases,
    "status": client.get_model_version(name, version.version).status,
    "models": [each.name for each in client.search_registered_models(f"name = '{name}'")],
    "versions": [each.version for each in client.search_model_versions(f"name = '{name}'")],
    "latest": [each.version for each in client.get_latest_versions(name, ["Staging"])],
    "tags": client.get_registered_model(name).tags,
    "runs": [each.info.run_id for each in client.search_runs([run.info.experiment_id])] == [run.info.run_id],
    "loaded": [list(map(int, mlflow.pyfunc.load_model(each).predict(inputs))) for each in addresses],
    "refusal": refusal,
}
print(json.dumps(found))
