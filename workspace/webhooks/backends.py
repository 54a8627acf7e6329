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
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from urllib3.exceptions import HTTPError

from workspace.webhooks.addresses import is_named

LARGEST_ANSWER = 1000
CONNECT_SECONDS = 3.0


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
    began = time.monotonic()
    try:
        with _session(url) as session:
            session.trust_env = False
            with session.post(
                url, data=body.encode(), headers=headers, stream=True, allow_redirects=False
            ) as response:
                text = _beginning(response, began + settings.WEBHOOK_TIMEOUT_SECONDS)
                return Answer(response.status_code, text, "", _since(began))
    except InvalidIPAddress as error:
        failure = f"The host resolves to a private address ({error}), which nobody has named as allowed."
    except requests.Timeout:
        failure = f"The receiver did not answer within {settings.WEBHOOK_TIMEOUT_SECONDS:g} seconds."
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        failure = f"The receiver could not be called: {type(error).__name__}."
    return Answer(None, "", failure, _since(began))


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
        chunk = response.raw.read1(LARGEST_ANSWER - len(kept), decode_content=True)
        if not chunk:
            break
        kept += chunk
    return kept.decode("utf-8", "replace").replace("\x00", "\ufffd")[:LARGEST_ANSWER]


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
