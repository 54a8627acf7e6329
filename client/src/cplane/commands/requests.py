"""cplane request: ask for promotion, and watch what becomes of it."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from controlplane_client import PromotionRequest

from cplane import codes
from cplane.output import Form, Output, Printer, Quiet
from cplane.session import Model, Url, Version, number_of, plane

app = typer.Typer(help="Promotion requests. Decisions are signed in the browser.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="The request's id.")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait at most.")]
COLUMNS: dict[str, Any] = {
    "ID": lambda each: each.id,
    "MODEL": lambda each: each.model,
    "VERSION": lambda each: each.version,
    "TO": lambda each: each.environment,
    "STATE": lambda each: each.state,
    "BY": lambda each: each.requested_by,
    "CREATED": lambda each: each.created_at,
}
OF_STATUS = {
    "draft": codes.WAITING,
    "pending": codes.WAITING,
    "failed": codes.FAILED,
    "rejected": codes.REFUSED,
    "expired": codes.REFUSED,
    "cancelled": codes.REFUSED,
}
HOUR = 3600.0


@app.command("open")
def open_request(
    model: Model,
    version: Version,
    why: Annotated[str, typer.Option(prompt=True, help="Why it should go there; reviewers read it.")],
    environment: Annotated[str, typer.Option(help="Where to.")] = "production",
    known_limits: Annotated[str | None, typer.Option(help="What it is not good at.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until its gates are judged.")] = False,
    timeout: Timeout = HOUR,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Ask that a version go to an environment. With --wait: exit 3 a gate failed, 4 reviewers' turn."""
    printer = Printer(output, quiet)
    with plane(url) as client:
        number = number_of(client, model, version)
        request = client.requests.open(
            model, number, why=why, environment=environment, known_limits=known_limits
        )
        if wait:
            printer.say(f"Waiting for the gates of {request.address}")
            request = client.requests.watch_gates(request.id, timeout=timeout, on_change=narrated(printer))
    printer.item(request, facts_of(request), "id")
    if wait:
        finish(printer, request)


@app.command()
def watch(
    request: Id,
    timeout: Timeout = HOUR,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Follow a request until it is live, refused or the time is up (exit 4)."""
    printer = Printer(output, quiet)
    with plane(url) as client:
        found = client.requests.watch(request, timeout=timeout, on_change=narrated(printer))
    printer.item(found, facts_of(found), "id")
    finish(printer, found)


@app.command()
def show(request: Id, output: Output = Form.TABLE, quiet: Quiet = False, url: Url = None) -> None:
    """One request with its gates and decisions."""
    with plane(url) as client:
        found = client.requests.get(request)
    printer = Printer(output, quiet)
    printer.item(found, facts_of(found), "id")
    if printer.form is Form.TABLE and not quiet and found.gates:
        printer.table(
            ["GATE", "MODE", "OUTCOME", "WHAT"], [[g.gate, g.mode, g.outcome, g.title] for g in found.gates]
        )


def approve(request: Id, quiet: Quiet = False, url: Url = None) -> None:
    """Open the request where it is signed: in the browser, with your password. Exit 4: it waits there."""
    printer = Printer(Form.TABLE, quiet)
    with plane(url) as client:
        found = client.requests.get(request)
    if found.status != "pending":
        finish(printer, found)
        printer.say(f"Nothing waits for a signature: {found.state}.")
        return
    print(found.address)
    printer.say("Read the evidence and sign there; no token can approve.")
    if sys.stdout.isatty():
        typer.launch(found.address)
    raise typer.Exit(codes.WAITING)


@app.command("list")
def list_requests(
    model: Annotated[str | None, typer.Option(help="Only of this model.")] = None,
    status: Annotated[str | None, typer.Option(help="draft, pending, approved, queued, deployed…")] = None,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Requests you may see, newest first."""
    with plane(url) as client:
        Printer(output, quiet).rows(client.requests.list(model=model, status=status), COLUMNS, "id")


def narrated(printer: Printer) -> Any:
    return lambda request: printer.say(
        f"{request.model} v{request.version} to {request.environment}: {request.state}"
    )


def finish(printer: Printer, request: PromotionRequest) -> None:
    """End with the code that says what became of it."""
    if request.status in {"draft", "pending"} and request.failed_gates:
        for gate in request.failed_gates:
            printer.say(f"Gate failed: {gate.title}")
        raise typer.Exit(codes.GATE_FAILED)
    if request.status == "pending":
        printer.say(f"Waiting for approval: {request.address}")
    code = OF_STATUS.get(request.status, codes.DONE)
    if code:
        raise typer.Exit(code)


def facts_of(request: PromotionRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "model": request.model,
        "version": request.version,
        "to": request.environment,
        "state": request.state,
        "failure": request.failure,
        "policy": request.policy,
        "still needed": ", ".join(f"{count} {role}" for role, count in request.lacking.items()),
        "failed gates": [each.title for each in request.failed_gates],
        "why": request.why,
        "by": request.requested_by,
        "expires": request.expires_at,
        "address": request.address,
    }
