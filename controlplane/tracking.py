"""MLflow's own app for runs, experiments, logged models and artifacts, behind edge alone.

It listens on a unix socket, answers only who knows the shared secret, and only the calls of
``tracking_endpoints``. ``python -m controlplane.tracking migrate`` brings its schema up to date;
the server does so itself before it answers.
"""

from __future__ import annotations

import asyncio
import gc
import hmac
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from asgiref.sync import ThreadSensitiveContext
from asgiref.wsgi import WsgiToAsgi
from psycopg.conninfo import conninfo_to_dict

from controlplane import tracking_endpoints, tracking_refusals
from controlplane.environment import Environment
from controlplane.tracking_endpoints import SECRET_HEADER

log = logging.getLogger(__name__)

SCHEMA = "mlflow"
MIGRATING = 5_276_423_011  # advisory lock: one process migrates
MOST_CALLS_AT_ONCE = 8
# MLflow imports these where present; the server's own work needs none of them (110 MB, 5 s).
UNNEEDED = ("polars", "pandas", "pyarrow", "scipy", "sklearn", "matplotlib", "numpy", "IPython")
# Its own sign-in, which needs an extra we do not install: tried anew with every search (40 MB).
NOT_INSTALLED = ("mlflow.server.auth",)
NOTED = ("artifact_path", "run_id", "utc_time_created", "flavors", "model_uuid")
S3_SCHEME = "s3://"
AWS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
)
# With artifacts in S3 MLflow would send its clients there, past edge, its rights and its ledger.
BYTES_PASS_HERE = {"multipart_uploads_enabled": False, "multipart_downloads_enabled": False}
STREAMED = "/mlflow-artifacts/artifacts/"


def store_address(url: str) -> str:
    """The tracking role's database as SQLAlchemy wants it, with the schema in the search path."""
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    who = quote(parts.get("user", ""), safe="")
    if "password" in parts:
        who += ":" + quote(parts["password"], safe="")
    host, port = parts.get("host", "127.0.0.1"), parts.get("port", "5432")
    query = f"options=-csearch_path%3D{SCHEMA}"
    if "sslmode" in parts:
        query += f"&sslmode={quote(parts['sslmode'])}"
    if host.startswith("/"):
        query, host = f"{query}&host={quote(host, safe='')}", ""
    return f"postgresql+psycopg://{who}@{host}:{port}/{quote(parts.get('dbname', ''), safe='')}?{query}"


def configure(environment: Environment) -> str:
    """Put MLflow's settings into the environment it reads at import; answers the store's address."""
    url = environment.get("DATABASE_TRACKING_URL")
    if not url:
        raise SystemExit("DATABASE_TRACKING_URL is not set and no stack is running: make up")
    artifacts = artifact_place(environment)
    address = store_address(url)
    os.environ.update(
        _MLFLOW_SERVER_FILE_STORE=address,
        _MLFLOW_SERVER_ARTIFACT_ROOT="mlflow-artifacts:/",
        _MLFLOW_SERVER_ARTIFACT_DESTINATION=artifacts,
        _MLFLOW_SERVER_SERVE_ARTIFACTS="true",
        # Edge decides which hosts and origins are answered.
        MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE="true",
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",
        MLFLOW_DISABLE_TELEMETRY="true",
        DO_NOT_TRACK="true",
        MLFLOW_CONFIGURE_LOGGING="false",  # its lines go the way of all others
        MLFLOW_SQLALCHEMYSTORE_POOL_SIZE="4",
        MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW=str(MOST_CALLS_AT_ONCE - 4),
        MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE="1800",
    )
    return address


def artifact_place(environment: Environment) -> str:
    """The folder or bucket of artifacts, beside the object store's own; MLflow's client is told how."""
    root = environment.get("ARTIFACT_ROOT")
    beside = f"{root.rstrip('/')}/mlflow" if root.startswith(S3_SCHEME) else ""
    folder = str(environment.data_dir / "artifacts" / "mlflow")
    place = environment.get("TRACKING_ARTIFACTS") or beside or folder
    if not place.startswith(S3_SCHEME):
        Path(place).mkdir(parents=True, exist_ok=True, mode=0o700)
        return place
    endpoint, encryption = environment.get("S3_ENDPOINT_URL"), environment.get("S3_ENCRYPTION")
    told = {name: environment.get(name) for name in AWS}
    told["MLFLOW_S3_ENDPOINT_URL"] = endpoint
    told["MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE"] = environment.get("S3_ADDRESSING", "path" if endpoint else "")
    if encryption:
        _, _, key = encryption.partition("aws:kms:")
        more = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
        told["MLFLOW_S3_UPLOAD_EXTRA_ARGS"] = json.dumps({"ServerSideEncryption": encryption} | more)
    os.environ.update({name: value for name, value in told.items() if value})
    return place


def migrate(url: str) -> None:
    """What ``mlflow db upgrade`` does, also for an empty schema; safe to repeat and to race."""
    from mlflow.store.db import utils  # noqa: PLC0415 - costs seconds; only who migrates pays

    with psycopg.connect(url, autocommit=True) as lock:
        lock.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
        engine = utils.create_sqlalchemy_engine(store_address(url))
        try:
            if utils._is_empty_database(engine):
                utils._initialize_tables(engine)
            elif utils._get_schema_version(engine) != utils._get_latest_schema_revision():
                utils._upgrade_db(engine)
        finally:
            engine.dispose()


class TrackingServer:
    """The ASGI application; MLflow is imported when the server starts, not with this module."""

    def __init__(self) -> None:
        self.secret = b""
        self.calls: Any = None
        self.streams: Any = None
        self.places = asyncio.Semaphore(MOST_CALLS_AT_ONCE)

    def load(self) -> None:
        environment = Environment(Path(os.environ.get("DATA_DIR") or "var").absolute())
        self.secret = (environment.get("TRACKING_SECRET") or environment.key("tracking_secret")).encode()
        if not self.secret:
            raise SystemExit("TRACKING_SECRET is not set: the tracking server answers nobody without it.")
        configure(environment)
        sys.modules.update(dict.fromkeys(UNNEEDED + NOT_INSTALLED))  # a None here makes the import fail
        migrate(environment.get("DATABASE_TRACKING_URL"))
        self.calls, self.streams = _applications()
        gc.collect()
        gc.freeze()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    self.load()
                except SystemExit as error:
                    log.critical("%s", error)
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    raise
                await send({"type": "lifespan.startup.complete"})
            else:
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        sent = dict(scope["headers"]).get(SECRET_HEADER, b"")
        if not hmac.compare_digest(sent, self.secret):
            await _refuse(send, 403, b'{"error_code":"PERMISSION_DENIED","message":"Only edge may ask."}')
        elif scope["path"] == "/health":
            await _refuse(send, 200, b'{"status":"ok"}')
        elif tracking_endpoints.find(scope["method"], scope["path"]) is None:
            await _refuse(
                send, 404, b'{"error_code":"ENDPOINT_NOT_FOUND","message":"This is not open here."}'
            )
        elif STREAMED in scope["path"] and scope["method"] in {"GET", "PUT"}:
            await self.streams(scope, receive, send)
        else:
            async with self.places, ThreadSensitiveContext():
                await self.calls({**scope, "root_path": ""}, receive, _marked(send))


def _applications() -> tuple[Any, Any]:
    """MLflow's calls (Flask) and its streaming artifact routes (FastAPI); nothing else of it."""
    from fastapi import FastAPI  # noqa: PLC0415
    from mlflow.server import app as flask_app  # noqa: PLC0415
    from mlflow.server import handlers  # noqa: PLC0415
    from mlflow.server.artifact_router import artifact_router  # noqa: PLC0415

    address, artifacts = os.environ["_MLFLOW_SERVER_FILE_STORE"], os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"]
    store: Any = handlers._get_tracking_store(address, artifacts)  # now, not with the first call
    store.search_logged_models = tracking_refusals.with_known_attributes(store.search_logged_models)
    handlers.parse_dict = tracking_refusals.whole_traces(handlers.parse_dict)
    flask_app.register_error_handler(Exception, tracking_refusals.answer)
    handlers.Model.from_dict = classmethod(_noted)
    told = handlers.build_server_info_payload
    handlers.build_server_info_payload = lambda: {**told(), **BYTES_PASS_HERE}
    streams = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    streams.include_router(artifact_router)
    streams.add_exception_handler(OSError, _as_response)
    return WsgiToAsgi(flask_app), streams


def _noted(model: Any, said: dict[str, Any]) -> Any:
    """What a run notes of a model that a client before MLflow 3 logged.

    MLflow reads the signature, too, and forgets it: that takes numpy, and each such client's
    ``log_model`` would try again for a minute.
    """
    return model(**{name: said.get(name) for name in NOTED})


async def _as_response(_: Any, error: Exception) -> Any:
    from starlette.responses import Response  # noqa: PLC0415 - comes with MLflow

    content, status, headers = tracking_refusals.answer(error)
    return Response(content, status_code=status, headers=headers)


def _marked(send: Any) -> Any:
    """The same, as the coroutine function asgiref looks for."""

    async def marked(message: Any) -> None:
        await send(message)

    return marked


async def _refuse(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


app = TrackingServer()


if __name__ == "__main__":
    if sys.argv[1:] != ["migrate"]:
        raise SystemExit("python -m controlplane.tracking migrate")
    migrate(Environment(Path(os.environ.get("DATA_DIR") or "var").absolute()).get("DATABASE_TRACKING_URL"))
