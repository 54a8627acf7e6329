"""MLflow's tracking server, spoken to over its REST API.

A module of its own, since httpx brings a terminal library along: processes that never ask hold neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx
from django.conf import settings

from core.errors import NotFound, Unavailable
from registry.tracked import DatasetInput, LoggedModel, Owned, Run

TIMEOUT = httpx.Timeout(30, connect=5)
# Shorter than any server waits: none closes a connection just as we ask over it.
KEPT_ALIVE = httpx.Limits(keepalive_expiry=2)
MOST_OWNED = 10_000


class TrackingServer:
    """MLflow's own app behind its shared secret."""

    def __init__(
        self, url: str, headers: dict[str, str] | None = None, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.client = httpx.Client(
            base_url=url, headers=headers, timeout=TIMEOUT, transport=transport, limits=KEPT_ALIVE
        )
        self.owned: dict[tuple[str, str], Owned] = {}

    def run(self, run_id: str) -> Run:
        body = self._get("/api/2.0/mlflow/runs/get", {"run_id": run_id}, f"There is no run {run_id}.")["run"]
        info, data = body["info"], body.get("data", {})
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
            tags=_pairs(data.get("tags")),
            inputs=tuple(_input(each) for each in body.get("inputs", {}).get("dataset_inputs", [])),
            logged_models=tuple(
                each["model_id"] for each in body.get("outputs", {}).get("model_outputs", [])
            ),
            is_deleted=info.get("lifecycle_stage") == "deleted",
        )

    def logged_model(self, model_id: str) -> LoggedModel:
        missing = f"There is no logged model {model_id}."
        body = self._get(f"/api/2.0/mlflow/logged-models/{model_id}", {}, missing)["model"]
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

    def owner_of_run(self, run_id: str) -> Owned:
        """Whose run it is: asked once, since edge lets nobody change it."""
        return self._owned(("run", run_id), self.run)

    def owner_of_logged_model(self, model_id: str) -> Owned:
        """Whose logged model it is; asked once."""
        return self._owned(("logged_model", model_id), self.logged_model)

    def _owned(self, key: tuple[str, str], read: Callable[[str], Run | LoggedModel]) -> Owned:
        known = self.owned.get(key)
        if known is None:
            known = read(key[1]).owned
            if len(self.owned) >= MOST_OWNED:
                self.owned.clear()
            self.owned[key] = known
        return known

    def _get(self, path: str, query: dict[str, str], missing: str) -> Any:
        try:
            answer = self.client.get(path, params=query)
        except httpx.HTTPError as error:
            raise Unavailable(f"The tracking server does not answer: {type(error).__name__}.") from error
        if answer.status_code == 404:
            raise NotFound(missing, field="source")  # as ``ownership`` says of what is somebody else's
        if answer.status_code >= 400:
            raise Unavailable(f"The tracking server answered {answer.status_code} for {path}.")
        return answer.json()


def tracking_server() -> TrackingServer:
    """The installation's; see ``registry.backends``."""
    return _server_at(settings.TRACKING_SOCKET, settings.TRACKING_URL, settings.TRACKING_SECRET)


@cache
def _server_at(socket: str, url: str, secret: str) -> TrackingServer:
    """One client per process: making one reads every certificate of the machine, 20 ms of CPU."""
    headers = {settings.TRACKING_SECRET_HEADER: secret}
    if not socket:
        return TrackingServer(url, headers)
    by_socket = httpx.HTTPTransport(uds=socket, verify=False, limits=KEPT_ALIVE)
    return TrackingServer("http://tracking", headers, transport=by_socket)


def _pairs(entries: list[dict[str, Any]] | None) -> dict[str, str]:
    return {_clean(each["key"]): _clean(each.get("value", "")) for each in entries or []}


def _metrics(entries: list[dict[str, Any]] | None) -> dict[str, float | str]:
    """The newest value of each metric; NaN and the infinities as the words JSON lacks."""
    values: dict[str, float | str] = {}
    for each in entries or []:
        number = float(each.get("value", "nan"))
        values[_clean(each["key"])] = number if math.isfinite(number) else str(number)
    return values


def _input(entry: dict[str, Any]) -> DatasetInput:
    tags = _pairs(entry.get("tags"))
    dataset = entry.get("dataset", {})
    return DatasetInput(
        name=_clean(dataset.get("name", "")),
        digest=_clean(dataset.get("digest", "")),
        context=tags.get("mlflow.data.context", ""),
        source=_clean(dataset.get("source", ""))[:2000],
    )


def _clean(text: Any) -> str:
    """MLflow keeps characters that jsonb cannot."""
    return "".join(each for each in str(text) if each != "\x00" and not 0xD800 <= ord(each) <= 0xDFFF)
