"""The public REST API of an MLflow server, as far as an import reads it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.errors import Conflict, Invalid, NotAllowed, NotFound, Unavailable
from registry.imports.models import LONGEST_SERVER
from registry.services.tags import IS_PROMPT
from registry.tracked import LoggedModel, Run
from registry.tracking import TrackingServer

API = "/api/2.0/mlflow"
PAGE = 500
ATTEMPTS_TO_CONNECT = 3
LARGEST_NUMBER = 10**9
PROMPTS_ONLY = f"tags.`{IS_PROMPT}` = 'true'"


@dataclass(frozen=True)
class FoundModel:
    """A registered model there; ``aliases`` gives the version number of each."""

    name: str
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)

    @property
    def is_prompt(self) -> bool:
        return self.tags.get(IS_PROMPT) == "true"


@dataclass(frozen=True)
class FoundVersion:
    """A version there, as its server describes it."""

    model: str
    number: int
    source: str = ""
    run_id: str = ""
    logged_model_id: str = ""
    description: str = ""
    stage: str = "None"
    status: str = "READY"
    registered_at_ms: int = 0
    tags: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.model} v{self.number}"


class MlflowServer(TrackingServer):
    """Somebody's MLflow server; nothing is ever written to it and no redirect is followed."""

    def __init__(self, url: str, secret: str = "") -> None:
        self.url = checked_url(url)
        headers = {"Accept-Encoding": "identity", **_authorization(secret)}
        super().__init__(self.url, headers, transport=httpx.HTTPTransport(retries=ATTEMPTS_TO_CONNECT))

    def run(self, run_id: str) -> Run:
        with self.understood():
            return super().run(run_id)

    def logged_model(self, model_id: str) -> LoggedModel:
        with self.understood():
            return super().logged_model(model_id)

    def model(self, name: str) -> FoundModel:
        missing = f"{self.url} has no registered model named {name}."
        with self.understood():
            return _model(
                self.ask(f"{API}/registered-models/get", {"name": name}, missing)["registered_model"]
            )

    def models(self) -> Iterator[FoundModel]:
        """Every registered model, page after page."""
        query = {"order_by": "name ASC"}
        for entry in self._pages(f"{API}/registered-models/search", query, "registered_models"):
            with self.understood():
                yield _model(entry)

    def prompts(self) -> list[FoundModel]:
        """Prompts, which servers that know them leave out of ``models``."""
        query = {"filter": PROMPTS_ONLY, "order_by": "name ASC"}
        try:
            found = list(self._pages(f"{API}/registered-models/search", query, "registered_models"))
        except Conflict:  # a server from before there were prompts refuses the question
            return []
        with self.understood():
            return [model for model in map(_model, found) if model.is_prompt]

    def versions(self, model: FoundModel) -> list[FoundVersion]:
        """Every version of a model or prompt, the oldest first."""
        quote = '"' if "'" in model.name else "'"
        if quote in model.name:
            raise Invalid("The name holds both kinds of quotation marks, so MLflow's search cannot name it.")
        named = f"name = {quote}{model.name}{quote}"
        query = {"filter": f"{named} AND {PROMPTS_ONLY}" if model.is_prompt else named}
        found = self._pages(f"{API}/model-versions/search", query, "model_versions")
        with self.understood():
            return sorted(map(_version, found), key=lambda version: version.number)

    def _pages(self, path: str, query: dict[str, str], key: str) -> Iterator[dict[str, Any]]:
        token, seen = "", set[str]()
        while True:
            page = {"page_token": token} if token else {}
            body = self.ask(path, {**query, "max_results": str(PAGE), **page}, f"{self.url} is no MLflow.")
            with self.understood():
                yield from body.get(key) or []
                token = body.get("next_page_token") or ""
            if not token:
                return
            if token in seen:
                raise Unavailable(f"{self.url} answers the same page of {path} again and again.")
            seen.add(token)

    def _get(self, path: str, query: dict[str, str], missing: str) -> Any:
        return self.ask(path, query, missing)

    def ask(self, path: str, query: dict[str, str], missing: str) -> Any:
        """The JSON that one call answers."""
        with self.reached():
            answer = self.client.get(path, params=query)
        self.refuse(answer, missing)
        try:
            return answer.json()
        except ValueError as error:
            raise Unavailable(f"{self.url}{path} does not answer as an MLflow server does.") from error

    def refuse(self, answer: httpx.Response, missing: str) -> None:
        """One thing that is missing or broken there stops its own import; a closed door stops all."""
        if answer.status_code in {401, 403}:
            raise Unavailable(
                f"{self.url} refuses the call ({answer.status_code}); give a token or name:password with"
                " --token-file."
            )
        if answer.status_code == 404:
            raise NotFound(missing)
        if answer.status_code == 503 and answer.is_closed and "serve-artifacts" in answer.text:
            raise Conflict("The server does not serve artifacts itself (--no-serve-artifacts).")
        if answer.status_code in {502, 503, 504}:
            raise Unavailable(f"{self.url} is not ready: it answers {answer.status_code}.")
        if answer.status_code != 200:
            raise Conflict(f"The server answers {answer.status_code} for {answer.url.path}.")

    @contextmanager
    def reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            raise Unavailable(f"{self.url} does not answer: {type(error).__name__}.") from error

    @contextmanager
    def understood(self) -> Iterator[None]:
        """Another program on that address answers JSON of its own."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unavailable(f"{self.url} does not answer in the form MLflow does.") from error


def checked_url(url: str) -> str:
    """The address in the one form under which the server is remembered."""
    rule = "an address as https://mlflow.example.org"
    try:
        parts = urlsplit(url.strip())
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise Invalid(f"--uri must be {rule}.", field="uri", allowed=rule) from error
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or len(url) > LONGEST_SERVER:
        raise Invalid(f"--uri must be {rule}.", field="uri", allowed=rule)
    if parts.username is not None or parts.query or parts.fragment:
        raise Invalid(
            "--uri must hold no password, query or fragment; secrets belong in --token-file.",
            field="uri",
            allowed=rule,
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme.lower()}://{host}{port}{parts.path.rstrip('/')}"


def _authorization(secret: str) -> dict[str, str]:
    """A bearer token, or ``name:password`` for MLflow's own sign-in."""
    if not secret:
        return {}
    if not secret.isascii() or not secret.isprintable():
        raise NotAllowed("The token file must hold one line of printable ASCII.")
    if ":" in secret:
        return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    return {"Authorization": f"Bearer {secret}"}


def _model(entry: dict[str, Any]) -> FoundModel:
    return FoundModel(
        name=entry["name"],
        description=entry.get("description") or "",
        tags=_pairs(entry.get("tags")),
        aliases={each["alias"]: int(each["version"]) for each in entry.get("aliases") or []},
    )


def _version(entry: dict[str, Any]) -> FoundVersion:
    number = int(entry["version"])
    if not 1 <= number <= LARGEST_NUMBER:
        raise ValueError(number)
    return FoundVersion(
        model=entry["name"],
        number=number,
        source=entry.get("source") or "",
        run_id=entry.get("run_id") or "",
        logged_model_id=entry.get("model_id") or "",
        description=entry.get("description") or "",
        stage=entry.get("current_stage") or "None",
        status=entry.get("status") or "READY",
        registered_at_ms=int(entry.get("creation_timestamp") or 0),
        tags=_pairs(entry.get("tags")),
    )


def _pairs(entries: list[dict[str, str]] | None) -> dict[str, str]:
    return {each["key"]: each.get("value", "") for each in entries or []}
