"""Structured logs: one JSON object per line, with the ids of request and job."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType, TracebackType
from typing import Any

from pythonjsonlogger.json import JsonFormatter

log = logging.getLogger(__name__)
_context: ContextVar[MappingProxyType[str, str | int]] = ContextVar(
    "log_context", default=MappingProxyType({})
)


class Formatter(JsonFormatter):
    """Every record with what has been bound where it was logged."""

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        super().add_fields(log_data, record, message_dict)
        # What libraries attach to a record (arguments of tasks, parameters of statements) is not ours to show.
        for attached in log_data.keys() & record.__dict__.keys() - {"exc_info", "message", "name"}:
            del log_data[attached]
        log_data["level"] = record.levelname.lower()
        # Django logs an answer once the middleware that bound its id is left; the record has the request.
        if identifier := getattr(getattr(record, "request", None), "request_id", ""):
            log_data["request_id"] = identifier
        log_data |= _context.get()


def formatter() -> logging.Formatter:
    """For the handlers of every process, with Django or without.

    ``python-json-logger`` brings what the standard library's formatter lacks and loads nothing more.
    """
    renamed = {"message": "event", "name": "logger", "exc_info": "exception"}
    return Formatter(["message", "name"], timestamp=True, rename_fields=renamed)


def bind(**about: str | int) -> None:
    """Name these in every line that the current context logs from here on."""
    _context.set(MappingProxyType({**_context.get(), **about}))


@contextmanager
def bound(**about: str | int) -> Iterator[None]:
    """Name these in every line logged inside."""
    token = _context.set(MappingProxyType({**_context.get(), **about}))
    try:
        yield
    finally:
        _context.reset(token)


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
