"""cplane doctor: why it does not work, part by part."""

from __future__ import annotations

import email.utils
import os
import stat
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import typer
from controlplane_client import ControlPlane, ControlPlaneError

from cplane import codes, configuration
from cplane.output import Form, Output, Printer, Quiet
from cplane.session import Url

SOON = timedelta(days=14)
SKEW_SECONDS = 120
Finding = dict[str, str]


def doctor(output: Output = Form.TABLE, quiet: Quiet = False, url: Url = None) -> None:
    """Check configuration, address, health, token and clock; exit 1 when one is wrong."""
    found: list[Finding] = []
    try:
        installation = configuration.current(url.rstrip("/") if url else None)
        found.append(_finding("sign-in", "ok", f"{installation.url}, from {installation.origin}"))
        found.append(_file())
        with ControlPlane(installation.url, installation.token, timeout=15) as client:
            found += [*_health(installation.url), *_token(client), _tracking(client)]
    except ControlPlaneError as error:
        found.append(_finding("sign-in", "wrong", error.detail))
    printer = Printer(output, quiet)
    if printer.form is not Form.TABLE:
        printer.data(found)
    elif not quiet:
        printer.table(
            ["PART", "STATE", "WHAT"], [[each["part"], each["state"], each["what"]] for each in found]
        )
    if any(each["state"] == "wrong" for each in found):
        raise typer.Exit(codes.FAILED)


def _finding(part: str, state: str, what: str) -> Finding:
    return {"part": part, "state": state, "what": what}


def _file() -> Finding:
    place = configuration.path()
    if not place.exists():
        return _finding("token file", "ok", "none; the token comes from the environment")
    mode = stat.S_IMODE(os.stat(place).st_mode)
    return _finding("token file", "ok", f"{place}, mode {mode:04o}")


def _health(url: str) -> list[Finding]:
    """Whether it is up and ready, and whether both clocks agree."""
    try:
        answer = httpx.get(f"{url}/readyz", timeout=15)
    except httpx.HTTPError as error:
        return [_finding("address", "wrong", f"{url} does not answer: {error or type(error).__name__}")]
    found = [_finding("address", "ok", f"{url} answers in {answer.elapsed.total_seconds() * 1000:.0f} ms")]
    words = "ready" if answer.status_code == 200 else f"not ready: {_parts(answer)}"
    found.append(_finding("health", "ok" if answer.status_code == 200 else "wrong", words))
    if sent := email.utils.parsedate_tz(answer.headers.get("Date", "")):
        skew = abs(time.time() - email.utils.mktime_tz(sent))
        state = "ok" if skew <= SKEW_SECONDS else "warning"
        found.append(_finding("clock", state, f"{skew:.0f} s apart"))
    return found


def _parts(answer: httpx.Response) -> str:
    try:
        body: Any = answer.json()
    except ValueError:
        return f"status {answer.status_code}"
    parts = body.get("parts", body) if isinstance(body, dict) else {}
    return ", ".join(f"{name} {word}" for name, word in parts.items() if word != "ok")


def _token(client: ControlPlane) -> list[Finding]:
    try:
        me = client.me()
    except ControlPlaneError as error:
        return [_finding("token", "wrong", error.detail)]
    scopes = ", ".join((me.token or {}).get("scopes") or [])
    found = [_finding("token", "ok", f"{me.account} ({', '.join(me.roles) or 'no role'}), scopes: {scopes}")]
    if until := (me.token or {}).get("expires_at"):
        left = datetime.fromisoformat(until.replace("Z", "+00:00")) - datetime.now(UTC)
        state = "warning" if left < SOON else "ok"
        found.append(_finding("expiry", state, f"in {left.days} days ({until[:10]})"))
    return found


def _tracking(client: ControlPlane) -> Finding:
    """Runs and artifacts, which registering a folder needs."""
    try:
        client.call("GET", "/api/2.0/mlflow/experiments/get", params={"experiment_id": "0"})
    except ControlPlaneError as error:
        return _finding("MLflow tracking", "warning", error.detail)
    return _finding("MLflow tracking", "ok", "answers")
