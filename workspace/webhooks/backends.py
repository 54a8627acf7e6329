"""Calling a receiver: once, within a time, never a private address that nobody has named.

``requests-hardened`` resolves a name once, refuses private addresses and connects to the very
address it checked (about 150 lines of socket work we need not write). Redirects are never
followed and proxies of the environment never used: both would be a second, unchecked address.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests_hardened import Config, HTTPSession, ip_filter
from requests_hardened.ip_filter import InvalidIPAddress
from urllib3.exceptions import HTTPError

from workspace.webhooks.addresses import NOT_GIVEN_OUT, is_named
from workspace.webhooks.deadlines import Deadline

# Beside what the library refuses: a name may resolve to a range that nobody was given.
ip_filter.EXTRA_BLOCKED_NET_RANGES += NOT_GIVEN_OUT
LARGEST_ANSWER = 1000
CONNECT_SECONDS = 3.0
# Its status is what counts: one that then drips its body keeps the worker from nothing else.
READING_SECONDS = 1.0
DRIPPED = "The receiver kept sending without an end."


@dataclass(frozen=True)
class Answer:
    """What the receiver said; ``failure`` says why it said nothing."""

    status: int | None
    body: str
    failure: str
    milliseconds: int

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_silence(self) -> bool:
        return self.status is None


def call(url: str, headers: dict[str, str], body: str) -> Answer:
    """One call, over within the time for connecting and answering whatever the receiver does."""
    began, session = time.monotonic(), _session(url)
    deadline = Deadline(session, CONNECT_SECONDS + settings.WEBHOOK_TIMEOUT_SECONDS + READING_SECONDS)
    try:
        with session, deadline:
            status, text = _answer(session, url, headers, body)
            return Answer(status, text, "", _since(began))
    except InvalidIPAddress as error:
        failure = f"The host resolves to a private address ({error}), which nobody has named as allowed."
    except requests.ConnectTimeout:
        failure = f"No connection within {CONNECT_SECONDS:g} seconds: the host is down, or a firewall drops what is sent to it."
    except requests.Timeout:
        failure = (
            f"Connected, but no answer within {settings.WEBHOOK_TIMEOUT_SECONDS:g} seconds;"
            " the receiver should answer first and do its work afterwards."
        )
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        failure = DRIPPED if deadline.is_over else f"The receiver could not be called: {_cause(error)}."
    return Answer(None, "", failure, _since(began))


def _answer(session: HTTPSession, url: str, headers: dict[str, str], body: str) -> tuple[int, str]:
    session.trust_env = False
    with session.post(
        url, data=body.encode(), headers=headers, stream=True, allow_redirects=False
    ) as response:
        return response.status_code, _beginning(response, time.monotonic() + READING_SECONDS)


def _cause(error: Exception) -> str:
    """In words what people can do something about; anything else by its type."""
    words = str(error)
    if "NameResolution" in words or "Name or service" in words or "Temporary failure in name" in words:
        return "its host name is not known to the name server"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not valid for the address"
    if "Connection refused" in words:
        return "nothing listens there (connection refused)"
    return type(error).__name__


def _session(url: str) -> HTTPSession:
    is_allowed = is_named(urlsplit(url).hostname or "")
    return HTTPSession(
        Config(
            ip_filter_enable=not is_allowed,
            ip_filter_allow_loopback_ips=False,
            never_redirect=True,
            default_timeout=(CONNECT_SECONDS, settings.WEBHOOK_TIMEOUT_SECONDS),
            user_agent_override="Controlplane-Webhooks/1",
        )
    )


def _beginning(response: requests.Response, deadline: float) -> str:
    """The first part of the answer; one that drips is cut off at the deadline."""
    kept = b""
    while len(kept) < LARGEST_ANSWER and time.monotonic() < deadline:
        try:
            chunk = response.raw.read1(LARGEST_ANSWER - len(kept), decode_content=True)
        except HTTPError:  # silent after its status, which is what counts
            break
        if not chunk:
            break
        kept += chunk
    return kept.decode("utf-8", "replace").replace("\x00", "\ufffd")[:LARGEST_ANSWER]


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
