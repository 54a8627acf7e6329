"""A call that is over by a moment, whatever its receiver does.

Time-outs of sockets begin anew with every byte, so a receiver that drips keeps within them for
ever. When the time is up, the connection is shut from here: whoever reads from it sees its end.
"""

from __future__ import annotations

import socket
import threading
from typing import Any

import requests
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_call = threading.local()


class Deadline:
    """``with Deadline(session, 15) as deadline``: what the session connects to is shut after that."""

    def __init__(self, session: requests.Session, seconds: float) -> None:
        self.is_over = False
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True
        for adapter in session.adapters.values():
            adapter.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolOverTLS}

    def add(self, connected: socket.socket) -> None:
        """A copy, which stays when TLS takes the socket over."""
        self._sockets.append(connected.dup())

    def __enter__(self) -> Deadline:
        _call.deadline = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        _call.deadline = None
        for each in self._sockets:
            each.close()

    def _shut(self) -> None:
        self.is_over = True
        for each in self._sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has ended by itself
                continue


class _Connection(HTTPConnection):
    def _new_conn(self) -> Any:
        connected = super()._new_conn()
        _call.deadline.add(connected)
        return connected


class _ConnectionOverTLS(HTTPSConnection):
    def _new_conn(self) -> Any:
        connected = super()._new_conn()
        _call.deadline.add(connected)
        return connected


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _PoolOverTLS(HTTPSConnectionPool):
    ConnectionCls = _ConnectionOverTLS
