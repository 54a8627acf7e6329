"""The demo's people: one account per role, passwords made once and kept 0600 in the data folder."""

from __future__ import annotations

import json
import os
import secrets
from datetime import timedelta
from pathlib import Path

from accounts.models import Account
from accounts.services import create_account, issue_token
from core.actors import Actor

ROLES = {
    "scientist": "data-scientist",
    "reviewer": "reviewer",
    "validator": "validator",
    "operator": "operator",
    "auditor": "auditor",
    "admin": "admin",
}


def passwords(keys: Path) -> dict[str, str]:
    """The passwords of the demo accounts, by account name."""
    path = keys / "demo_passwords.json"
    if not path.exists():
        made = {name: secrets.token_urlsafe(12) for name in ROLES}
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(made, file, indent=1)
    return dict(json.loads(path.read_text()))


def create(keys: Path) -> dict[str, str]:
    """Create the accounts that are missing, with the host's authority; answers their passwords."""
    known = passwords(keys)
    for name, role in ROLES.items():
        if not Account.objects.filter(username=name).exists():
            create_account(actor=Actor.command_line(), username=name, role=role, password=known[name])
    return known


def token(name: str) -> str:
    """A day's token for the story's own calls, as ``manage.py issue_token`` gives."""
    _, secret = issue_token(
        actor=Actor.command_line(),
        account=Account.objects.get(username=name),
        name="story of the demo",
        scopes=["all"],
        lifetime=timedelta(days=1),
    )
    return secret
