"""From a model folder to something that scores. Imported only inside a scorer.

The scikit-learn flavour is loaded without importing MLflow, which saves about 100 MB and
three CPU seconds per scorer; every other flavour goes through MLflow's pyfunc.
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import yaml

Columns = dict[str, list[Any]]
DTYPES = {"boolean": "bool", "integer": "int32", "long": "int64", "float": "float32", "double": "float64"}
WHOLE = {"integer", "long"}


class LoadedModel:
    """Scores columns: the positive class's probability where there is one, else the prediction."""

    def __init__(self, model: Any, columns: list[dict[str, Any]]) -> None:
        self.model = model
        self.columns = columns
        self.kind, self._score = _scoring(model)

    def score(self, columns: Columns) -> list[Any]:
        """One value per row."""
        values = self._score(self._frame(columns))
        return values.tolist() if hasattr(values, "tolist") else list(values)

    def _frame(self, columns: Columns) -> Any:
        if not self.columns:
            return pandas.DataFrame(columns).to_numpy()
        return pandas.DataFrame(
            {each["name"]: _series(columns[each["name"]], each["type"]) for each in self.columns}
        )


def load(folder: Path) -> LoadedModel:
    """Load the MLflow model in ``folder``."""
    described = yaml.safe_load((folder / "MLmodel").read_text())
    flavours = described["flavors"]
    signature = described.get("signature") or {}
    inputs = json.loads(signature.get("inputs") or "[]")
    columns = [
        each
        for each in inputs
        if "name" in each and isinstance(each.get("type"), str) and each["type"] != "tensor"
    ]
    if code := flavours.get("python_function", {}).get("code"):
        sys.path.insert(0, str(folder / code))
    if "sklearn" in flavours:
        return LoadedModel(_load_sklearn(folder, flavours["sklearn"]), columns)
    import mlflow.pyfunc  # noqa: PLC0415 - costs 100 MB, and scikit-learn models do without

    return LoadedModel(mlflow.pyfunc.load_model(str(folder)), columns)


def _load_sklearn(folder: Path, flavour: dict[str, Any]) -> Any:
    import sklearn  # noqa: PLC0415 - only for this flavour

    sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
    path = folder / flavour["pickled_model"]
    if flavour.get("serialization_format") == "skops":
        import skops.io  # noqa: PLC0415 - only for this format

        return skops.io.load(path, trusted=flavour.get("skops_trusted_types") or [])
    with path.open("rb") as source:
        return pickle.load(source)  # noqa: S301 - sandboxed, and its digest was verified


def _scoring(model: Any) -> tuple[str, Callable[[Any], Any]]:
    classes = getattr(model, "classes_", None)
    if hasattr(model, "predict_proba") and classes is not None and len(classes) == 2:
        return "probability", lambda frame: model.predict_proba(frame)[:, 1]
    return "prediction", model.predict


def _series(values: list[Any], kind: str) -> Any:
    if kind in WHOLE and None in values:
        return pandas.Series(values, dtype="float64")
    if kind in DTYPES:
        return pandas.Series(values, dtype=DTYPES[kind])
    if kind == "datetime":
        return pandas.to_datetime(pandas.Series(values), utc=True, format="ISO8601").dt.tz_localize(None)
    return pandas.Series(values)
