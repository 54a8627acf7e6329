"""cplane datasets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from controlplane_client import Check, DatasetVersion

from cplane import codes
from cplane.columns import require_columns
from cplane.commands.versions import Wait
from cplane.output import Form, Output, Printer, Quiet, size
from cplane.session import Url, plane

app = typer.Typer(help="Data sets, their versions and checks.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The data set's name.")]
COLUMNS: dict[str, Any] = {
    "NAME": lambda each: each.name,
    "OWNER": lambda each: each.owner,
    "EVENT TIME": lambda each: each.event_time_column,
    "LABEL": lambda each: each.label_column,
    "CREATED": lambda each: each.created_at,
}
VERSION_COLUMNS: dict[str, Any] = {
    "VERSION": lambda each: each.version,
    "LABEL": lambda each: each.label,
    "STATUS": lambda each: each.status,
    "ROWS": lambda each: each.rows,
    "SIZE": lambda each: size(each.size),
    "CREATED": lambda each: each.created_at,
}

SOURCE_COLUMNS: dict[str, Any] = {
    "NAME": lambda each: each.name,
    "KIND": lambda each: each.kind,
    "WHAT": lambda each: each.description,
}


@app.command("list")
def list_datasets(output: Output = Form.TABLE, quiet: Quiet = False, url: Url = None) -> None:
    """Data sets you may see."""
    with plane(url) as client:
        Printer(output, quiet).rows(client.datasets.list(), COLUMNS, "name")


@app.command()
def show(
    name: Name,
    version: Annotated[
        int | None, typer.Argument(help="A version's number; without it, all are listed.")
    ] = None,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """A data set's versions, or one version with its columns and its check."""
    printer = Printer(output, quiet)
    with plane(url) as client:
        if version is None:
            client.datasets.get(name)
            printer.rows(client.datasets.versions(name), VERSION_COLUMNS, "version")
        else:
            found = client.datasets.version(name, version)
            entry = {"role": "training", "dataset": found.dataset, "version": found.version}
            in_run = f"controlplane.dataset_versions={json.dumps([entry], ensure_ascii=False)}"
            printer.item(found, {**facts_of(found), "name it in a run": in_run}, "version")


@app.command()
def register(
    name: Name,
    file: Annotated[Path, typer.Argument(help="A table: Parquet or CSV.", exists=True, dir_okay=False)],
    label: Annotated[str, typer.Option(help="Such as 2013-04.")] = "",
    description: Annotated[str, typer.Option()] = "",
    create: Annotated[bool, typer.Option("--create", help="Make the data set if there is none.")] = False,
    event_time: Annotated[str | None, typer.Option(help="With --create: the column of event time.")] = None,
    label_column: Annotated[str | None, typer.Option(help="With --create: the column to predict.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="With --create: a key column; repeat it.")] = None,
    wait: Wait = False,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Upload a table as a version; with --wait, exit 3 when it breaks the contract."""
    printer = Printer(output, quiet)
    require_columns(file, {"--event-time": event_time, "--label-column": label_column}, key or [])
    with plane(url) as client:
        if create:
            client.datasets.ensure(
                name, event_time_column=event_time, label_column=label_column, key_columns=key
            )
        version = client.datasets.register(name, file, label=label, description=description)
        if wait:
            with printer.waiting("Reading the table") as on_progress:
                version = client.datasets.wait(version, on_progress=on_progress)
    printer.item(version, facts_of(version), "version")
    if version.status == "failed":
        printer.say(f"The table could not be read: {version.failure}")
        raise typer.Exit(codes.FAILED)
    judge(printer, version.check)


@app.command()
def sources(output: Output = Form.TABLE, quiet: Quiet = False, url: Url = None) -> None:
    """Databases and buckets you may read versions from."""
    with plane(url) as client:
        Printer(output, quiet).rows(client.datasets.sources(), SOURCE_COLUMNS, "name")


@app.command()
def read(
    name: Name,
    source: Annotated[str, typer.Argument(help="A source's name; see cplane datasets sources.")],
    query: Annotated[str, typer.Option(help="Of a database: one SELECT.")] = "",
    prefix: Annotated[str, typer.Option(help="Of a bucket: what to read; without it, everything.")] = "",
    label: Annotated[str, typer.Option(help="Such as 2013-04.")] = "",
    wait: Wait = False,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Have a worker read a query's rows or a prefix's objects as a version; with --wait, until it is there."""
    printer = Printer(output, quiet)
    with plane(url) as client:
        reading = client.datasets.read(name, source, query=query, prefix=prefix, label=label)
        if wait:
            with printer.waiting(f"Reading from {source}") as on_progress:
                reading = client.datasets.wait_for(reading, on_progress=on_progress)
    facts = {"data set": name, "source": source, "status": reading.status, "version": reading.version}
    objects = len(reading.objects) if reading.objects else None
    printer.item(reading, {**facts, "objects": objects}, "version" if wait else "id")
    if reading.status == "failed":
        printer.say(f"It could not be read: {reading.failure}")
        raise typer.Exit(codes.FAILED)


@app.command()
def contract(
    name: Name,
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A contract as YAML or JSON; without it, the one of now.", exists=True, dir_okay=False
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why it changes.")] = "",
    output: Output = Form.YAML,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Show the data contract, or give it a new revision from a file."""
    printer = Printer(output, quiet)
    with plane(url) as client:
        if file is None:
            found = client.datasets.contract(name)
            printer.data(found.document)
            return
        found = client.datasets.set_contract(name, text_of(file), reason=reason)
    printer.say(f"{name} has revision {found.revision} of its contract; new versions are checked against it.")
    if quiet:
        print(found.revision)


@app.command()
def check(
    name: Name,
    version: Annotated[int, typer.Argument(help="The version's number.")],
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Check a version against the contract of now; exit 3 when it fails."""
    printer = Printer(output, quiet)
    with plane(url) as client, printer.waiting("Checking") as on_progress:
        found = client.datasets.check(name, version, on_progress=on_progress)
    if found is None:
        printer.say("Nothing was checked: the data set has no contract.")
        raise typer.Exit(codes.FAILED)
    facts = {
        "data set": name,
        "version": version,
        "contract revision": found.revision,
        "result": found.status,
    }
    printer.item(found, {**facts, "checked": found.checked_at}, "status")
    judge(printer, found)


def text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is not UTF-8 text near byte {error.start}") from error


def judge(printer: Printer, check: Check | None) -> None:
    if check is None or check.status == "passed":
        return
    for each in check.results if isinstance(check.results, list) else []:
        if isinstance(each, dict) and not each.get("passed", each.get("status") == "passed"):
            said = each.get("sentence") or ", ".join(f"{name}={value}" for name, value in each.items())
            printer.say(f"Broken: {said}")
    raise typer.Exit(codes.GATE_FAILED)


def facts_of(version: DatasetVersion) -> dict[str, Any]:
    columns = version.schema if isinstance(version.schema, list) else []
    return {
        "data set": version.dataset,
        "version": version.version,
        "label": version.label,
        "status": version.status,
        "failure": version.failure,
        "rows": version.rows,
        "size": size(version.size) if version.size else None,
        "digest": version.digest,
        "from": version.event_time_from,
        "to": version.event_time_to,
        "columns": ", ".join(
            f"{each.get('name')} {each.get('type')}" for each in columns if isinstance(each, dict)
        ),
        "contract": version.check.status if version.check else None,
        "created": version.created_at,
    }
