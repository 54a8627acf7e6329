"""cplane models."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cplane.output import Form, Output, Printer, Quiet
from cplane.session import Model, Url, plane

app = typer.Typer(help="Registered models.", no_args_is_help=True)
COLUMNS: dict[str, Any] = {
    "NAME": lambda each: each.name,
    "LATEST": lambda each: each.latest_version,
    "ALIASES": lambda each: ", ".join(f"{name}=v{number}" for name, number in sorted(each.aliases.items())),
    "TIER": lambda each: each.tier,
    "OWNER": lambda each: (each.owner or {}).get("name"),
    "UPDATED": lambda each: each.last_updated_at,
}


@app.command("list")
def list_models(
    q: Annotated[str | None, typer.Option("--q", help="Part of a name.")] = None,
    tier: Annotated[str | None, typer.Option(help="Only models of this risk tier.")] = None,
    sort: Annotated[str | None, typer.Option(help="name, -name, created_at or -last_updated_at.")] = None,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Models you may see."""
    with plane(url) as client:
        Printer(output, quiet).rows(client.models.list(q=q, tier=tier, sort=sort), COLUMNS, "name")


@app.command()
def show(model: Model, output: Output = Form.TABLE, quiet: Quiet = False, url: Url = None) -> None:
    """One model: owner, tier, aliases, newest version."""
    with plane(url) as client:
        found = client.models.get(model)
        facts = {
            "name": found.name,
            "description": found.description,
            "tier": found.tier,
            "owner": (found.owner or {}).get("name"),
            "on call": (found.on_call or {}).get("name"),
            "aliases": ", ".join(f"{name}=v{number}" for name, number in sorted(found.aliases.items())),
            "latest version": found.latest_version,
            "tags": found.tags,
            "created": found.created_at,
            "updated": found.last_updated_at,
        }
        Printer(output, quiet).item(found, facts, "name")
