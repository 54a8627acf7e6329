"""cplane deploy, rollback and drift: what runs, and how it fares."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from controlplane_client import Deployment
from controlplane_client.resources import address

from cplane import codes
from cplane.output import Form, Output, Printer, Quiet
from cplane.session import Model, Url, Version, number_of, plane

Environment = Annotated[str, typer.Option(help="staging or production.")]
Wait = Annotated[bool, typer.Option("--wait", help="Until it is live, paused or has failed.")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait at most.")]
HALF_AN_HOUR = 1800.0
FAILED = {"failed", "aborted", "rolled_back"}
LEVELS = {"alert": 0, "warn": 1, "warning": 1, "stable": 2, "few": 3}


def deploy(
    model: Model,
    version: Version,
    environment: Environment = "staging",
    reason: Annotated[str | None, typer.Option(help="Kept with the deployment.")] = None,
    wait: Wait = False,
    timeout: Timeout = HALF_AN_HOUR,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Put a version on the model's endpoint. A protected environment asks for an approved request."""
    printer = Printer(output, quiet)
    with plane(url) as client:
        started = client.deployments.start(
            model, number_of(client, model, version), environment=environment, reason=reason
        )
        if wait:
            started = client.deployments.wait(started.id, timeout=timeout, on_change=narrated(printer))
    finish(printer, started, wait)


def rollback(
    model: Model,
    to: Annotated[str, typer.Option("--to", help="The version to go back to; it was live there.")],
    reason: Annotated[str, typer.Option(prompt=True, help="Why; the ledger keeps it.")],
    environment: Environment = "production",
    wait: Wait = False,
    timeout: Timeout = HALF_AN_HOUR,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Go back to a version that was live on the endpoint; needs no new approval."""
    printer = Printer(output, quiet)
    with plane(url) as client:
        number = number_of(client, model, to)
        started = client.deployments.roll_back(model, environment=environment, version=number, reason=reason)
        if wait:
            started = client.deployments.wait(started.id, timeout=timeout, on_change=narrated(printer))
    finish(printer, started, wait)


def drift(
    model: Model,
    environment: Environment = "production",
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """How far each feature has moved from the training data in the newest week, worst first."""
    printer = Printer(output, quiet)
    with plane(url) as client:
        path = address("monitoring", "models", model, "drift")
        found = client.call("GET", path, params={"environment": environment, "window": "week"})
    newest = max((each["starts_on"] for each in found["items"]), default=None)
    rows = [each for each in found["items"] if each["starts_on"] == newest]
    rows.sort(key=lambda each: (LEVELS.get(each["level"], 9), -(each["psi"] or 0)))
    if printer.form is not Form.TABLE:
        printer.data(rows)
    elif quiet:
        print("\n".join(each["feature"] for each in rows))
    else:
        words = ("feature", "level", "psi", "rows", "missing", "starts_on")
        heads = ["FEATURE", "LEVEL", "PSI", "ROWS", "MISSING", "WEEK OF"]
        printer.table(heads, [[each[word] for word in words] for each in rows])


def narrated(printer: Printer) -> Any:
    return lambda each: printer.say(
        f"v{each.version} in {each.environment}: {each.status}, {each.weight or 0} %"
    )


def finish(printer: Printer, deployment: Deployment, waited: bool) -> None:
    facts = {
        "id": deployment.id,
        "model": deployment.model,
        "version": deployment.version,
        "environment": deployment.environment,
        "status": deployment.status,
        "weight": deployment.weight,
        "replaces": deployment.replaces_version,
        "failure": deployment.failure,
        "live": deployment.live_at,
    }
    printer.item(deployment, facts, "id")
    if deployment.status in FAILED or (waited and deployment.status not in {"live", "standby"}):
        printer.say(
            f"It is {deployment.status}{', paused' if deployment.is_paused else ''}. {deployment.failure}"
        )
        raise typer.Exit(codes.FAILED)
