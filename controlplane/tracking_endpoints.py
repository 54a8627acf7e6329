"""What of MLflow's own app is open, and what each call does to what it names.

Everything else of that app stays closed: its private registry store (GraphQL, registered
models, model versions, prompts, webhooks), jobs, gateway, scorers and its pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

API = re.compile(r"^/(?:ajax-)?api/(2\.0|3\.0)/(mlflow|mlflow-artifacts)/(.*)$", re.DOTALL)
SECRET_HEADER = b"x-controlplane-tracking-secret"
REGISTRY = ("registered-models/", "model-versions/")
WEBHOOKS = "webhooks"
# Uploads and downloads past us, straight to a bucket: bytes would arrive that nobody counted or
# hashed. MLflow's clients know by this sentence that they are to send the file to us instead.
DIRECT = re.compile(r"^/(?:ajax-)?api/2\.0/mlflow-artifacts/(?:mpu/(?:create|complete|abort)|presigned)/")
NO_DIRECT = (
    "Multipart upload is not supported for the current artifact repository; send the file to artifacts/."
)


class Access(Enum):
    """What a call does to the things it names."""

    ANYONE = "anyone"  # names nothing of anybody's
    READ = "read"
    WRITE = "write"
    SEARCH = "search"  # answers only what is the caller's, by a condition put into its filter
    CREATE_EXPERIMENT = "create an experiment"
    CREATE_INSIDE = "create a run or logged model inside an experiment"
    CREATE_TRACE = "create a trace inside an experiment"
    READ_FILES = "read files"
    WRITE_FILES = "write files"


@dataclass(frozen=True)
class Endpoint:
    """An open call; ``pattern`` captures the id its path names, if any."""

    methods: frozenset[str]
    service: str
    pattern: re.Pattern[str]
    access: Access


def _endpoint(methods: str, path: str, access: Access, service: str = "2.0/mlflow") -> Endpoint:
    return Endpoint(frozenset(methods.split()), service, re.compile(path, re.DOTALL), access)


_MODEL = r"logged-models/(?P<model_id>[^/]+)"
# A trace's id is never one of the words that other addresses have in its place.
_TRACE = r"traces/(?P<trace_id>(?!(?:get|batchGet|batchGetInfos|search|metrics|delete-traces|link-to-run|link-prompts)(?:/|$))[^/]+)"
_V3 = "3.0/mlflow"

ENDPOINTS = (
    _endpoint("GET", "server-info", Access.ANYONE, "3.0/mlflow"),
    _endpoint("POST", "experiments/create", Access.CREATE_EXPERIMENT),
    _endpoint("GET POST", "experiments/search", Access.SEARCH),
    _endpoint("GET", "experiments/(get|get-by-name)", Access.READ),
    _endpoint(
        "POST",
        "experiments/(update|delete|restore|set-experiment-tag|delete-experiment-tag)",
        Access.WRITE,
    ),
    _endpoint("POST", "runs/create", Access.CREATE_INSIDE),
    _endpoint("POST", "runs/search", Access.SEARCH),
    _endpoint("GET", "runs/get", Access.READ),
    _endpoint(
        "POST",
        "runs/(update|delete|restore|log-metric|log-parameter|set-tag|delete-tag|log-batch|log-model|log-inputs|outputs)",
        Access.WRITE,
    ),
    _endpoint("GET", "metrics/(get-history|get-history-bulk|get-history-bulk-interval)", Access.READ),
    _endpoint("GET", "artifacts/list", Access.READ),
    _endpoint("POST", "logged-models", Access.CREATE_INSIDE),
    _endpoint("POST", "logged-models/search", Access.SEARCH),
    _endpoint("GET", rf"{_MODEL}(/artifacts/directories)?", Access.READ),
    _endpoint("PATCH DELETE", _MODEL, Access.WRITE),
    _endpoint("POST", rf"{_MODEL}/params", Access.WRITE),
    _endpoint("PATCH", rf"{_MODEL}/tags", Access.WRITE),
    _endpoint("DELETE", rf"{_MODEL}/tags/(?P<tag>[^/]+)", Access.WRITE),
    _endpoint("POST", "traces", Access.CREATE_TRACE, _V3),
    _endpoint("POST", "traces/search", Access.SEARCH, _V3),
    _endpoint("GET", _TRACE, Access.READ, _V3),
    _endpoint("PATCH DELETE", rf"{_TRACE}/tags", Access.WRITE),
    _endpoint("PATCH DELETE", rf"{_TRACE}/tags", Access.WRITE, _V3),
    _endpoint("POST", "traces/delete-traces", Access.WRITE),
    _endpoint("POST", rf"{_TRACE}/assessments", Access.WRITE, _V3),
    _endpoint("GET", rf"{_TRACE}/assessments/(?P<assessment>[^/]+)", Access.READ, _V3),
    _endpoint("DELETE", rf"{_TRACE}/assessments/(?P<assessment>[^/]+)", Access.WRITE, _V3),
    _endpoint("GET", r"artifacts(/(?P<path>.*))?", Access.READ_FILES, "2.0/mlflow-artifacts"),
    _endpoint("PUT DELETE", r"artifacts/(?P<path>.+)", Access.WRITE_FILES, "2.0/mlflow-artifacts"),
)


def find(method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """The open call a decoded path means, and the ids in it."""
    parts = API.match(path)
    if parts is None:
        return None
    service, rest = f"{parts[1]}/{parts[2]}", parts[3]
    for endpoint in ENDPOINTS:
        if method in endpoint.methods and service == endpoint.service:
            found = endpoint.pattern.fullmatch(rest)
            if found:
                return endpoint, {name: text for name, text in found.groupdict().items() if text}
    return None
