"""Inside the sandbox: load one model, score every row, time single rows. Answers one JSON line."""

from __future__ import annotations

import json
import pickle
import sys
import time
from pathlib import Path
from typing import Any

from pipelines.confinement import confine

TIMED_ROWS = 200
DTYPES = {"boolean": "bool", "integer": "int32", "long": "int64", "float": "float32", "double": "float64"}


def main() -> None:
    request = json.load(sys.stdin)
    confine()
    import pandas as pd  # noqa: PLC0415 - under the limits, like all that follows

    folder = Path(request["model"])
    described = _described(folder)
    frame = _inputs(pd.read_parquet(request["rows"]), described)
    try:
        answer = _answer(_scorer(folder, described), frame)
    except MemoryError:
        raise
    except Exception as error:  # whatever a model raises is told to who registered it
        raise SystemExit(
            f"The model failed: {type(error).__name__}: {' '.join(str(error).split())}"
        ) from error
    print(json.dumps(answer, allow_nan=False), flush=True)


def _answer(score: Any, frame: Any) -> dict[str, Any]:
    begun = time.process_time()
    scores = [float(value) for value in score(frame)]
    cpu_seconds = time.process_time() - begun
    return {"scores": scores, "cpu_seconds": cpu_seconds, "latency_ms": _timed(score, frame)}


def _described(folder: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - see main

    loaded: dict[str, Any] = yaml.safe_load((folder / "MLmodel").read_text())
    return loaded


def _scorer(folder: Path, described: dict[str, Any]) -> Any:
    """Probability of the positive class where the model has one, else its prediction."""
    flavours = described["flavors"]
    if "sklearn" not in flavours:
        import mlflow.pyfunc  # noqa: PLC0415 - only for other flavours than scikit-learn

        return mlflow.pyfunc.load_model(str(folder)).predict
    flavour = flavours["sklearn"]
    path = folder / flavour["pickled_model"]
    if flavour.get("serialization_format") == "skops":
        import skops.io  # noqa: PLC0415 - only for this format

        model = skops.io.load(path, trusted=flavour.get("skops_trusted_types") or [])
    else:
        with path.open("rb") as source:
            model = pickle.load(source)  # noqa: S301 - in the sandbox, and its digest was proven
    if hasattr(model, "predict_proba") and len(getattr(model, "classes_", ())) == 2:
        return lambda frame: model.predict_proba(frame)[:, 1]
    return model.predict


def _inputs(rows: Any, described: dict[str, Any]) -> Any:
    """The signature's columns in its order and types."""
    signature = described.get("signature") or {}
    columns = [each for each in json.loads(signature.get("inputs") or "[]") if "name" in each]
    if not columns:
        raise SystemExit("The model has no signature with named columns.")
    missing = [each["name"] for each in columns if each["name"] not in rows]
    if missing:
        raise SystemExit(
            f"The data has no column {', '.join(missing[:5])}, which the model's signature asks for."
        )
    frame = rows[[each["name"] for each in columns]].copy()
    for each in columns:
        kind = DTYPES.get(str(each.get("type")))
        if kind and not (kind.startswith("int") and frame[each["name"]].isna().any()):
            frame[each["name"]] = frame[each["name"]].astype(kind)
        elif each.get("type") == "string":
            frame[each["name"]] = frame[each["name"]].astype(object)
    return frame


def _timed(score: Any, frame: Any) -> list[float]:
    """Milliseconds of single-row calls, after a warm-up."""
    step = max(1, len(frame) // TIMED_ROWS)
    singles = [frame.iloc[number : number + 1] for number in range(0, len(frame), step)][:TIMED_ROWS]
    for single in singles[:5]:
        score(single)
    taken = []
    for single in singles:
        begun = time.perf_counter()
        score(single)
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


if __name__ == "__main__":
    main()
