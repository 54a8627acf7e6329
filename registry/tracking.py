"""MLflow's tracking server, spoken to over its REST API.

A module of its own, since httpx brings a terminal library along: processes that never ask hold neither.
"""

from __future__ import annotations

import math
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
from registry.tracked import NOBODY, OWNER, PARENT, RUN_ID, RUNNING, LoggedModel, Owned, Run
from registry.tracking_answers import as_logged_model, as_run, clean, message_of, moment_of, number_of

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
        self.said = message_of(answer) if answer.status_code == 400 else ""


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
        return as_run(body["run"])

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
        found = [as_run(each) for each in body.get("runs", [])]
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
        return [as_run(each) for each in found]

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
        return [as_logged_model(each) for each in found]

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
        return [as_run(each) for each in found]

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
        return {each["experiment_id"]: clean(each["name"]) for each in body.get("experiments", [])}

    def experiment_name(self, experiment_id: str) -> str:
        """Empty where there is none, such as of a run that was deleted with its experiment."""
        try:
            body = self._get("/api/2.0/mlflow/experiments/get", {"experiment_id": experiment_id}, "")
        except NotFound:
            return ""
        return clean(body["experiment"]["name"])

    def metric_course(self, run_id: str, name: str, size: int) -> list[tuple[int, float]]:
        """At most so many of the steps of one metric and its values, from first to last."""
        query = {"run_ids": run_id, "metric_key": name, "max_results": str(size)}
        path = "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval"
        body = self._get(path, query, f"There is no run {run_id}.")
        logged = [(*moment_of(each), number_of(each)) for each in body.get("metrics", [])]
        logged.sort(key=lambda each: each[:2])
        return [(step, value) for step, _, value in logged]

    def metric_values(self, run_id: str, name: str) -> Iterator[tuple[int, int, float]]:
        """Step, time in milliseconds and value of all that was logged of one metric, by time; page by page."""
        query = {"run_id": run_id, "metric_key": name, "max_results": str(VALUES_AT_ONCE)}
        token = ""
        while True:
            asked = {**query, **({"page_token": token} if token else {})}
            body = self._get("/api/2.0/mlflow/metrics/get-history", asked, f"There is no run {run_id}.")
            yield from ((*moment_of(each), number_of(each)) for each in body.get("metrics", []))
            token = body.get("next_page_token", "")
            if not token:
                return

    def logged_model(self, model_id: str) -> LoggedModel:
        missing = f"There is no logged model {model_id}."
        return as_logged_model(self._get(f"/api/2.0/mlflow/logged-models/{model_id}", {}, missing)["model"])

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
