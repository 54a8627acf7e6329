"""MLflow's tracking server, spoken to over its REST API.

A module of its own, since httpx brings a terminal library along: processes that never ask hold neither.
"""

from __future__ import annotations

import math
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from functools import cache
from typing import Any

import httpx
from django.conf import settings

from core.errors import Invalid, NotFound, Unavailable
from registry.tracked import NOBODY, OWNER, PARENT, RUN_ID, RUNNING, DatasetInput, LoggedModel, Owned, Run

TIMEOUT = httpx.Timeout(30, connect=5)
# Shorter than any server waits: none closes a connection just as we ask over it.
KEPT_ALIVE = httpx.Limits(keepalive_expiry=2)
MOST_OWNED = 10_000
VALUES_AT_ONCE = 20_000
NEWEST_FIRST = "attributes.start_time DESC"


class Refused(Unavailable):
    """An answer that is none; ``said`` is what it says of a mistake in the question."""

    def __init__(self, answer: httpx.Response, path: str) -> None:
        super().__init__(f"The tracking server answered {answer.status_code} for {path}.")
        self.is_of_question = answer.status_code in (400, 500)
        self.said = _message(answer) if answer.status_code == 400 else ""


class TrackingServer:
    """MLflow's own app behind its shared secret."""

    def __init__(
        self, url: str, headers: dict[str, str] | None = None, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.client = httpx.Client(
            base_url=url, headers=headers, timeout=TIMEOUT, transport=transport, limits=KEPT_ALIVE
        )
        self.owned: dict[tuple[str, str], Owned] = {}
        # The moment of the monotonic clock after which nothing is asked any more.
        self.until = math.inf

    def within(self, seconds: float) -> TrackingServer:
        """The same server for who cannot wait: Unavailable after so many seconds for all its questions."""
        hurried = copy(self)
        hurried.until = time.monotonic() + seconds
        return hurried

    def run(self, run_id: str) -> Run:
        body = self._get("/api/2.0/mlflow/runs/get", {"run_id": run_id}, f"There is no run {run_id}.")
        return _run(body["run"])

    def runs_of(
        self,
        owner: str,
        experiment_ids: Sequence[str],
        size: int,
        token: str = "",
        *,
        conditions: Sequence[str] = (),
        own_filter: str = "",
        order: str = NEWEST_FIRST,
        of_deleted: bool = False,
    ) -> tuple[list[Run], str]:
        """Runs somebody logged in these experiments, newest first, and the token of the next page.

        ``own_filter`` is a person's, in MLflow's language: it knows neither "or" nor brackets, so it only narrows.
        """
        whose = f"tags.`{OWNER}` = '{uuid.UUID(owner)}'"
        asked = {
            "experiment_ids": list(experiment_ids),
            "filter": " AND ".join(filter(None, [whose, *conditions, own_filter])),
            "order_by": [order],
            "max_results": size,
            **({"run_view_type": "DELETED_ONLY"} if of_deleted else {}),
            **({"page_token": token} if token else {}),
        }
        try:
            body = self._post(
                "/api/2.0/mlflow/runs/search", asked, "page is not one that was given out here."
            )
        except Refused as error:
            if not (own_filter and error.is_of_question):
                raise
            said = error.said.replace(whose, "…") or "The tracking server fails on this filter."
            raise Invalid(said, field="filter", allowed="a filter of MLflow's search of runs") from error
        found = [_run(each) for each in body.get("runs", [])]
        return [each for each in found if each.owner == owner], body.get("next_page_token", "")

    def children_of(self, run: Run, size: int) -> list[Run]:
        """The newest runs of its owner that say they are part of it: anybody may say so of theirs."""
        owner = run.owner or NOBODY
        asked = {
            "experiment_ids": [run.experiment_id],
            "filter": f"tags.`{OWNER}` = '{uuid.UUID(owner)}' AND tags.`{PARENT}` = '{run.id}'",
            "order_by": [NEWEST_FIRST],
            "max_results": size,
        }
        found = self._post("/api/2.0/mlflow/runs/search", asked, "").get("runs", [])
        return [_run(each) for each in found]

    def parts_of(self, runs: Sequence[Run], size: int) -> tuple[Counter[str], bool]:
        """How many parts these runs of one owner have, by id, and whether more were logged than were counted."""
        if not runs:
            return Counter(), False
        conditions = [
            f"tags.`{PARENT}` IS NOT NULL",
            f"attributes.start_time >= {min(run.started_at_ms for run in runs)}",
        ]
        within = sorted({run.experiment_id for run in runs})
        found, following = self.runs_of(runs[0].owner, within, size, conditions=conditions)
        return Counter(each.tags[PARENT] for each in found), bool(following)

    def logged_models_of(self, run: Run, size: int) -> list[LoggedModel]:
        """The newest models that a run logged, of whomever they are."""
        asked = {
            "experiment_ids": [run.experiment_id],
            "filter": f"source_run_id = '{run.id}'",
            "max_results": size,
        }
        found = self._post("/api/2.0/mlflow/logged-models/search", asked, "").get("models", [])
        return [_logged_model(each) for each in found]

    def named(self, runs: dict[str, str]) -> list[Run]:
        """These runs (id and experiment), newest first; one that is gone is not among them."""
        names = ", ".join(f"'{run}'" for run in runs if RUN_ID.fullmatch(run))
        if not names:
            return []
        asked = {
            "experiment_ids": sorted(set(runs.values())),
            "filter": f"attributes.run_id IN ({names})",
            "order_by": [NEWEST_FIRST],
            "max_results": len(runs),
        }
        found = self._post("/api/2.0/mlflow/runs/search", asked, "").get("runs", [])
        return [_run(each) for each in found]

    def ended(self, runs: dict[str, str]) -> set[str]:
        """Which of these runs (id and experiment) are under way no more; one that is gone is not among them."""
        named = ", ".join(f"'{run}'" for run in runs if RUN_ID.fullmatch(run))
        if not named:
            return set()
        asked = {
            "experiment_ids": sorted(set(runs.values())),
            "filter": f"attributes.status != '{RUNNING}' AND attributes.run_id IN ({named})",
            "max_results": len(runs),
        }
        found = self._post("/api/2.0/mlflow/runs/search", asked, "").get("runs", [])
        return {each["info"]["run_id"] for each in found}

    def experiments_of(self, owner: str, size: int) -> dict[str, str]:
        """Id and name of the experiments somebody created and changed last."""
        asked = {
            "filter": f"tags.`{OWNER}` = '{uuid.UUID(owner)}'",
            "max_results": size,
            "order_by": ["last_update_time DESC"],
        }
        body = self._post("/api/2.0/mlflow/experiments/search", asked, "")
        return {each["experiment_id"]: _clean(each["name"]) for each in body.get("experiments", [])}

    def experiment_name(self, experiment_id: str) -> str:
        """Empty where there is none, such as of a run that was deleted with its experiment."""
        try:
            body = self._get("/api/2.0/mlflow/experiments/get", {"experiment_id": experiment_id}, "")
        except NotFound:
            return ""
        return _clean(body["experiment"]["name"])

    def metric_course(self, run_id: str, name: str, size: int) -> list[tuple[int, float]]:
        """At most so many of the steps of one metric and its values, from first to last."""
        query = {"run_ids": run_id, "metric_key": name, "max_results": str(size)}
        path = "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval"
        body = self._get(path, query, f"There is no run {run_id}.")
        logged = [(*_moment(each), _number(each)) for each in body.get("metrics", [])]
        logged.sort(key=lambda each: each[:2])
        return [(step, value) for step, _, value in logged]

    def metric_values(self, run_id: str, name: str) -> Iterator[tuple[int, int, float]]:
        """Step, time in milliseconds and value of all that was logged of one metric, by time; page by page."""
        query = {"run_id": run_id, "metric_key": name, "max_results": str(VALUES_AT_ONCE)}
        token = ""
        while True:
            asked = {**query, **({"page_token": token} if token else {})}
            body = self._get("/api/2.0/mlflow/metrics/get-history", asked, f"There is no run {run_id}.")
            yield from ((*_moment(each), _number(each)) for each in body.get("metrics", []))
            token = body.get("next_page_token", "")
            if not token:
                return

    def logged_model(self, model_id: str) -> LoggedModel:
        missing = f"There is no logged model {model_id}."
        return _logged_model(self._get(f"/api/2.0/mlflow/logged-models/{model_id}", {}, missing)["model"])

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
        answer = self._asked("GET", path, params=query)
        if answer.status_code == 404:
            raise NotFound(missing, field="source")  # as ``ownership`` says of what is somebody else's
        return self._read(answer, path)

    def _post(self, path: str, body: dict[str, Any], wrong_page: str) -> Any:
        answer = self._asked("POST", path, json=body)
        if answer.status_code == 400 and "page_token" in body:
            raise Invalid(wrong_page, field="page")
        return self._read(answer, path)

    def _asked(self, method: str, path: str, **what: Any) -> httpx.Response:
        if self.until < math.inf:
            what["timeout"] = max(self.until - time.monotonic(), 0.001)
        try:
            return self.client.request(method, path, **what)
        except httpx.InvalidURL as error:  # an id that can be in no address is of nothing
            raise NotFound("There is no run or logged model of this id.", field="source") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"The tracking server does not answer: {type(error).__name__}.") from error

    @staticmethod
    def _read(answer: httpx.Response, path: str) -> Any:
        if answer.status_code >= 400:
            raise Refused(answer, path)
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


def _message(answer: httpx.Response) -> str:
    try:
        return _clean(answer.json()["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return ""


def _run(body: dict[str, Any]) -> Run:
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
        steps={_clean(each["key"]): _moment(each)[0] for each in data.get("metrics", [])},
        tags=_pairs(data.get("tags")),
        inputs=tuple(_input(each) for each in body.get("inputs", {}).get("dataset_inputs", [])),
        logged_models=tuple(each["model_id"] for each in outputs),
        is_deleted=info.get("lifecycle_stage") == "deleted",
    )


def _logged_model(body: dict[str, Any]) -> LoggedModel:
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
    return {_clean(each["key"]): _clean(each.get("value", "")) for each in entries or []}


def _metrics(entries: list[dict[str, Any]] | None) -> dict[str, float | str]:
    """The newest value of each metric; NaN and the infinities as the words JSON lacks."""
    values: dict[str, float | str] = {}
    for each in sorted(entries or [], key=_moment):  # a logged model's come in no order, step by step
        number = _number(each)
        values[_clean(each["key"])] = number if math.isfinite(number) else str(number)
    return values


def _number(metric: dict[str, Any]) -> float:
    """MLflow keeps the infinities as the largest number there is."""
    number = float(metric.get("value", "nan"))
    return math.copysign(math.inf, number) if abs(number) >= sys.float_info.max else number


def _moment(metric: dict[str, Any]) -> tuple[int, int]:
    return int(metric.get("step") or 0), int(metric.get("timestamp") or 0)


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
