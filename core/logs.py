"""Structured logs: one JSON object per line, with the ids of request and job."""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType
from typing import Any

import structlog

log = logging.getLogger(__name__)


def formatter() -> logging.Formatter:
    """Render standard library records through structlog."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _id_of_request,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )


def _id_of_request(_: Any, __: str, event: Any) -> Any:
    """Django logs an answer once the middleware that bound its id is left; the record has the request."""
    request = getattr(event.get("_record"), "request", None)
    if identifier := getattr(request, "request_id", ""):
        event.setdefault("request_id", identifier)
    return event


def to_standard_error(level: int = logging.INFO) -> None:
    """For processes that run without Django and its settings."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def log_what_nobody_catches() -> None:
    """A process that ends with an exception, a thread that does, and Python's warnings: one line each."""
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("ended by %s", kind.__name__, exc_info=(kind, error, trace))


def _uncaught_in_thread(about: threading.ExceptHookArgs) -> None:
    if about.exc_value is not None and not issubclass(about.exc_type, SystemExit):
        name = about.thread.name if about.thread else "unknown"
        about_error = (about.exc_type, about.exc_value, about.exc_traceback)
        log.critical("thread %s ended by %s", name, about.exc_type.__name__, exc_info=about_error)
