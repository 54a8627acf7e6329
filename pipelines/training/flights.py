"""Train a classifier of late arrivals and register it, with the unchanged MLflow client.

``python -m pipelines.training.flights`` reads one JSON request on standard input. Where MLflow is
and who registers come from MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN, as for any client.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from pipelines.confinement import die_with_parent

if __name__ == "__main__":
    die_with_parent(int(os.environ.get("PARENT_PROCESS", "0")))

import mlflow
import numpy as np
import pandas as pd
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema, TensorSpec
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

CATEGORIES = ["carrier", "origin", "dest"]
SCHEDULE = ["hour", "minute", "weekday", "distance"]
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
NUMBERS = {"schedule": SCHEDULE, "weather": SCHEDULE + WEATHER}
# The one type in the saved model that skops does not know by itself; it holds plain arrays.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
LONGEST_MLFLOW_DIGEST = 36
EXAMPLE_ROWS = 3


def tell(**note: Any) -> None:
    """One line the worker understands."""
    print(json.dumps({"controlplane": note}), flush=True)


def signature(features: str) -> ModelSignature:
    """Raw columns in, two probabilities out; weather may be missing, the schedule may not."""
    columns = [ColSpec("string", name) for name in CATEGORIES]
    columns += [ColSpec("long", name) for name in SCHEDULE]
    columns += [ColSpec("double", name, required=False) for name in NUMBERS[features] if name in WEATHER]
    return ModelSignature(inputs=Schema(columns), outputs=Schema([TensorSpec(np.dtype("float64"), (-1, 2))]))


def model(parameters: dict[str, Any]) -> Pipeline:
    """Encodes its categories itself, so that callers send what the data holds."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer(
        [("categories", encoder, CATEGORIES), ("numbers", "passthrough", NUMBERS[parameters["features"]])]
    )
    trees = HistGradientBoostingClassifier(
        max_iter=parameters["iterations"],
        learning_rate=parameters["learning_rate"],
        early_stopping=False,
        random_state=parameters["seed"],
    )
    return Pipeline([("columns", columns), ("trees", trees)])


def judged(labels: Any, scores: Any, name: str) -> dict[str, float]:
    """The run's own figures; the registry has them measured again before anybody decides."""
    return {
        f"{name}_roc_auc": float(roc_auc_score(labels, scores)),
        f"{name}_pr_auc": float(average_precision_score(labels, scores)),
        f"{name}_brier": float(brier_score_loss(labels, scores)),
        f"{name}_log_loss": float(log_loss(labels, scores)),
    }


def tags(request: dict[str, Any]) -> dict[str, str]:
    """What the registry reads from a run when its model is registered."""
    parameters = request["parameters"]
    uses = [{"role": each["role"], "id": each["id"]} for each in request["datasets"]]
    held_out = next(each for each in request["datasets"] if each["role"] == "holdout")
    holdout = {
        "kind": parameters["holdout"],
        "test_fraction": parameters["test_fraction"],
        "seed": parameters["seed"],
        "dataset": held_out["name"],
        "dataset_version": held_out["number"],
        "dataset_version_id": held_out["id"],
        "label_column": request["label_column"],
    }
    return {
        "controlplane.dataset_versions": json.dumps(uses),
        "controlplane.holdout": json.dumps(holdout),
        "controlplane.code_commit": request["code_commit"],
        "controlplane.environment": json.dumps(request["environment"]),
        "controlplane.pipeline": request["pipeline"],
        "controlplane.pipeline_run": request["pipeline_run"],
        "mlflow.source.name": "pipelines/training/flights.py",
    }


def log_data(request: dict[str, Any]) -> None:
    """Name the data as MLflow does; its digests are shorter than ours, so they carry the start."""
    for each in request["datasets"]:
        source = HTTPDatasetSource(each["address"])
        data = MetaDataset(source, name=each["name"], digest=each["digest"][:LONGEST_MLFLOW_DIGEST])
        mlflow.log_input(data, context=each["role"])


def train(request: dict[str, Any]) -> dict[str, Any]:
    """Fit, judge on the hold-out, log everything, register."""
    parameters, label = request["parameters"], request["label_column"]
    inputs = CATEGORIES + NUMBERS[parameters["features"]]
    training, holdout = (
        pd.read_parquet(request[part], columns=[*inputs, label]) for part in ("train", "holdout")
    )
    tell(progress=15, step=f"Training on {len(training)} rows")
    mlflow.set_experiment(parameters["model"])
    with mlflow.start_run(run_name=f"{parameters['features']}-{parameters['holdout']}") as run:
        tell(run_id=run.info.run_id)
        mlflow.set_tags(tags(request))
        mlflow.log_params({name: value for name, value in parameters.items() if name != "versions"})
        mlflow.log_param("versions", ", ".join(parameters["versions"]))
        log_data(request)
        fitted = model(parameters).fit(training[inputs], training[label])
        tell(progress=45, step=f"Judging on {len(holdout)} rows held out")
        metrics = judged(holdout[label], fitted.predict_proba(holdout[inputs])[:, 1], "holdout")
        mlflow.log_metrics({**metrics, "training_rows": len(training), "holdout_rows": len(holdout)})
        tell(progress=55, step="Logging the model")
        logged = mlflow.sklearn.log_model(
            fitted,
            name="model",
            signature=signature(parameters["features"]),
            input_example=holdout[inputs].dropna().head(EXAMPLE_ROWS),
            serialization_format="skops",
            skops_trusted_types=TRUSTED,
            pyfunc_predict_fn="predict_proba",
            pip_requirements=[f"{name}=={version}" for name, version in needed(request).items()],
        )
    tell(progress=85, step=f"Registering {parameters['model']}")
    version = mlflow.register_model(logged.model_uri, parameters["model"], await_registration_for=0)
    return {
        "model": version.name,
        "version": int(version.version),
        "mlflow_run": run.info.run_id,
        "training_rows": len(training),
        "holdout_rows": len(holdout),
        "metrics": metrics,
    }


def needed(request: dict[str, Any]) -> dict[str, str]:
    """What loading the model takes, as exact versions."""
    packages = request["environment"]["packages"]
    return {
        name: packages[name]
        for name in ("mlflow", "scikit-learn", "skops", "numpy", "scipy", "pandas")
        if name in packages
    }


def main() -> int:
    request = json.loads(sys.stdin.read())
    try:
        tell(result=train(request), progress=100, step="Registered")
    except mlflow.exceptions.MlflowException as error:
        tell(failed=f"MLflow refused: {error.message}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
