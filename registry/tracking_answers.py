"""What MLflow's tracking server answers, as the registry knows it."""

from __future__ import annotations

import math
import sys
from typing import Any

import httpx

from registry.tracked import DatasetInput, LoggedModel, Run


def message_of(answer: httpx.Response) -> str:
    try:
        return clean(answer.json()["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return ""


def as_run(body: dict[str, Any]) -> Run:
    info, data = body["info"], body.get("data", {})
    outputs = body.get("outputs", {}).get("model_outputs", [])
    return Run(
        id=info["run_id"],
        name=info.get("run_name", ""),
        experiment_id=str(info.get("experiment_id", "")),
        status=info.get("status", ""),
        user=info.get("user_id", ""),
        started_at_ms=int(info.get("start_time") or 0),
        ended_at_ms=int(info.get("end_time") or 0),
        artifact_uri=info.get("artifact_uri", ""),
        parameters=_pairs(data.get("params")),
        metrics=_metrics(data.get("metrics")),
        steps={clean(each["key"]): moment_of(each)[0] for each in data.get("metrics", [])},
        tags=_pairs(data.get("tags")),
        inputs=tuple(_input(each) for each in body.get("inputs", {}).get("dataset_inputs", [])),
        logged_models=tuple(each["model_id"] for each in outputs),
        is_deleted=info.get("lifecycle_stage") == "deleted",
    )


def as_logged_model(body: dict[str, Any]) -> LoggedModel:
    info, data = body["info"], body.get("data", {})
    return LoggedModel(
        id=info["model_id"],
        name=info.get("name", ""),
        created_at_ms=int(info.get("creation_timestamp_ms") or 0),
        run_id=info.get("source_run_id", ""),
        artifact_uri=info.get("artifact_uri", ""),
        parameters=_pairs(data.get("params")),
        metrics=_metrics(data.get("metrics")),
        tags=_pairs(info.get("tags")),
    )


def _pairs(entries: list[dict[str, Any]] | None) -> dict[str, str]:
    return {clean(each["key"]): clean(each.get("value", "")) for each in entries or []}


def _metrics(entries: list[dict[str, Any]] | None) -> dict[str, float | str]:
    """The newest value of each metric; NaN and the infinities as the words JSON lacks."""
    values: dict[str, float | str] = {}
    for each in sorted(entries or [], key=moment_of):  # a logged model's come in no order, step by step
        number = number_of(each)
        values[clean(each["key"])] = number if math.isfinite(number) else str(number)
    return values


def number_of(metric: dict[str, Any]) -> float:
    """MLflow keeps the infinities as the largest number there is."""
    number = float(metric.get("value", "nan"))
    return math.copysign(math.inf, number) if abs(number) >= sys.float_info.max else number


def moment_of(metric: dict[str, Any]) -> tuple[int, int]:
    return int(metric.get("step") or 0), int(metric.get("timestamp") or 0)


def _input(entry: dict[str, Any]) -> DatasetInput:
    tags = _pairs(entry.get("tags"))
    dataset = entry.get("dataset", {})
    return DatasetInput(
        name=clean(dataset.get("name", "")),
        digest=clean(dataset.get("digest", "")),
        context=tags.get("mlflow.data.context", ""),
        source=clean(dataset.get("source", ""))[:2000],
    )


def clean(text: Any) -> str:
    """MLflow keeps characters that jsonb cannot."""
    return "".join(each for each in str(text) if each != "\x00" and not 0xD800 <= ord(each) <= 0xDFFF)
