"""Where the token of each installation is kept: one file, only for its owner."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from controlplane_client import ControlPlaneError


@dataclass(frozen=True)
class Installation:
    url: str
    token: str
    origin: str


def path() -> Path:
    folder = os.environ.get("CPLANE_CONFIG_DIR") or typer.get_app_dir("cplane")
    return Path(folder) / "config.json"


def current(url: str | None = None) -> Installation:
    """From the environment (CPLANE_…, then MLFLOW_TRACKING_…), else from ``cplane login``."""
    for address, token in (("CPLANE_URL", "CPLANE_TOKEN"), ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN")):
        here, secret = os.environ.get(address, ""), os.environ.get(token, "")
        if address == "CPLANE_URL" and here and not here.startswith(("http://", "https://")):
            detail = f"CPLANE_URL is {here!r}; an address begins with http:// or https://."
            raise ControlPlaneError(
                {"status": 400, "code": "no_address", "title": "No address", "detail": detail}
            )
        if here.startswith("http") and secret and url in (None, here.rstrip("/")):
            return Installation(here.rstrip("/"), checked(secret, token), f"{address} and {token}")
    kept = read()
    chosen = (url or os.environ.get("CPLANE_URL") or kept.get("current") or "").rstrip("/")
    token = kept.get("installations", {}).get(chosen, {}).get("token")
    if not token:
        raise refused(
            f"You are not signed in{f' at {chosen}' if chosen else ''}. Start with: cplane login https://…"
        )
    return Installation(chosen, checked(token, str(path())), str(path()))


def checked(token: str, origin: str) -> str:
    """The token without the line's end around it, or a refusal that does not show it."""
    bare = token.strip()
    if not bare.startswith("cp_") or not bare.isascii() or not bare.isprintable():
        raise refused(
            f"{origin} holds no token: one starts with cp_ and is of plain letters, digits and signs."
            " Make one under Settings, Tokens."
        )
    return bare


def read() -> dict[str, Any]:
    """The file's content; one that others may read is refused, as its tokens are no longer secret."""
    try:
        with path().open() as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
                raise refused(f"Others may read {path()}. Revoke its tokens, then: chmod 600 {path()}")
            return _understood(json.load(file))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise refused(f"{path()} is not what cplane login writes; delete it and sign in again.") from error


def _understood(content: Any) -> dict[str, Any]:
    """The content if it is what ``keep`` writes."""
    kept = content.get("installations", {}) if isinstance(content, dict) else None
    is_whole = isinstance(kept, dict) and all(
        isinstance(each, dict) and isinstance(each.get("token"), str) for each in kept.values()
    )
    if not is_whole or not isinstance(content.get("current", ""), str):
        raise ValueError("not what cplane login writes")
    return dict(content)


def keep(url: str, token: str) -> Path:
    """Add the token and make its installation the current one."""
    content = read()
    content["current"] = url
    content.setdefault("installations", {})[url] = {"token": token}
    return _write(content)


def forget(url: str) -> bool:
    """Drop the token; whether there was one."""
    content = read()
    known = content.get("installations", {}).pop(url, None) is not None
    if content.get("current") == url:
        content["current"] = next(iter(content["installations"]), "") if known else ""
    if known:
        _write(content)
    return known


def _write(content: dict[str, Any]) -> Path:
    """0600 from the first byte on, and whole or not at all."""
    place = path()
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".config-")  # mkstemp makes it 0600
    with os.fdopen(handle, "w") as file:
        json.dump(content, file, indent=2)
    os.replace(name, place)
    return place


def refused(detail: str) -> ControlPlaneError:
    return ControlPlaneError(
        {"status": 401, "code": "not_signed_in", "title": "Not signed in", "detail": detail}
    )
