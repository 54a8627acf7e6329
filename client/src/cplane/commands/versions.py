"""cplane versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from controlplane_client import ControlPlane, ControlPlaneError, ModelVersion
from controlplane_client.uploads import files_of

from cplane import codes
from cplane.differences import differences
from cplane.output import Form, Output, Printer, Quiet, size
from cplane.session import Model, Url, Version, number_of, plane

app = typer.Typer(help="Versions of registered models.", no_args_is_help=True)
COLUMNS: dict[str, Any] = {
    "VERSION": lambda each: each.version,
    "STATUS": lambda each: each.status,
    "ALIASES": lambda each: each.aliases,
    "METRICS": lambda each: each.metrics,
    "SIZE": lambda each: size(each.size),
    "BY": lambda each: each.created_by,
    "CREATED": lambda each: each.created_at,
}
Wait = Annotated[bool, typer.Option("--wait", help="Until the work is done.")]


@app.command("list")
def list_versions(
    model: Model,
    status: Annotated[
        str | None, typer.Option(help="READY, PENDING_REGISTRATION or FAILED_REGISTRATION.")
    ] = None,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Versions of a model, newest first."""
    with plane(url) as client:
        Printer(output, quiet).rows(client.versions.list(model, status=status), COLUMNS, "version")


@app.command()
def show(
    model: Model, version: Version, output: Output = Form.TABLE, quiet: Quiet = False, url: Url = None
) -> None:
    """One version: what it is made of and what is known of it."""
    with plane(url) as client:
        found = client.versions.get(model, number_of(client, model, version))
        Printer(output, quiet).item(found, facts_of(found), "version")


@app.command()
def register(
    model: Model,
    folder: Annotated[
        Path | None, typer.Argument(help="A local MLflow model folder.", exists=True, file_okay=False)
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Or a source: runs:/<run id>/<path>, models:/<model>/<version>.")
    ] = None,
    run_id: Annotated[str | None, typer.Option(help="The run the source belongs to.")] = None,
    description: Annotated[str | None, typer.Option()] = None,
    tag: Annotated[list[str] | None, typer.Option(help="key=value; repeat it.")] = None,
    create: Annotated[bool, typer.Option("--create", help="Make the model if there is none.")] = False,
    experiment: Annotated[
        str | None,
        typer.Option(help="Where the run of an uploaded folder goes; default: MLflow's shared one."),
    ] = None,
    wait: Wait = False,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Register a version from a folder here, or from a run."""
    if (folder is None) == (source is None):
        raise typer.BadParameter("give a folder, or --source, and not both")
    printer, about = Printer(output, quiet), {"description": description, "tags": tags_of(tag)}
    with plane(url) as client:
        sizes = [path.stat().st_size for path in files_of(folder)] if folder else []
        if create:
            client.models.ensure(model)
        else:
            client.models.get(model)
        if folder:
            with printer.bar("Uploading", sum(sizes)) as on_sent:
                version = client.versions.register_folder(
                    model, folder, experiment=experiment, on_sent=on_sent, **about
                )
        else:
            run = run_id or run_of(source or "")
            version = client.versions.register(model, source or "", run_id=run, **about)
        if wait:
            with printer.waiting("Hashing files") as on_progress:
                version = client.versions.wait(version, on_progress=on_progress)
    printer.item(version, facts_of(version), "version")
    if version.status == "FAILED_REGISTRATION":
        printer.say(f"Registration failed: {version.status_message}")
        raise typer.Exit(codes.FAILED)


@app.command()
def diff(
    model: Model,
    version: Version,
    other: Annotated[str, typer.Argument(help="The version to compare with.")],
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """What differs between two versions: metrics, parameters, signature, requirements, files."""
    with plane(url) as client:
        first, second = (number_of(client, model, word) for word in (version, other))
        found = differences(*(described(client, model, number) for number in (first, second)))
    printer = Printer(output, quiet)
    if printer.form is not Form.TABLE:
        printer.data({"model": model, "a": first, "b": second, "differences": found})
    elif found:
        printer.table(
            ["WHAT", "NAME", f"v{first}", f"v{second}"],
            [[each["what"], each["name"], each["a"], each["b"]] for each in found],
        )
    else:
        printer.say(f"v{first} and v{second} do not differ in anything that is compared.")


@app.command()
def verify(
    model: Model, version: Version, output: Output = Form.TABLE, quiet: Quiet = False, url: Url = None
) -> None:
    """Have a worker hash every file again and compare with what was registered."""
    printer = Printer(output, quiet)
    with plane(url) as client:
        number = number_of(client, model, version)
        with printer.waiting("Verifying") as on_progress:
            job = client.versions.verify(model, number, on_progress=on_progress)
        found = client.versions.get(model, number)
    facts = {"model": model, "version": number, "digest": found.digest, "verified": found.verified_at}
    printer.item(found, {**facts, "failure": found.integrity_failure or job.failure}, "digest")
    if job.status != "succeeded" or found.integrity_failure:
        printer.say(f"v{number} is not what was registered: {found.integrity_failure or job.failure}")
        raise typer.Exit(codes.FAILED)
    printer.say(f"v{number} is what was registered.")


@app.command()
def download(
    model: Model,
    version: Version,
    directory: Annotated[
        Path | None, typer.Option("--directory", "-d", help="Default: <model>-v<number>.")
    ] = None,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Every file, each checked against its SHA-256; what is there already, whole or in part, is not fetched again."""
    printer = Printer(output, quiet)
    with plane(url) as client:
        number = number_of(client, model, version)
        target = directory or Path(f"{model}-v{number}")
        found = client.versions.get(model, number)
        if not found.is_ready:
            failed = found.status == "FAILED_REGISTRATION"
            why = "failed to register" if failed else "is still being hashed"
            raise ControlPlaneError(
                {"status": 409, "detail": f"v{number} {why}; there is nothing to download."}
            )
        with printer.bar("Downloading", found.size or 0) as on_received:
            kept = client.versions.download(model, number, target, on_received=on_received)
    if printer.form is not Form.TABLE:
        printer.data(
            {"model": model, "version": number, "digest": found.digest, "files": [str(each) for each in kept]}
        )
    else:
        print(target)
    printer.say(
        f"{len(kept)} files of v{number}, {size(found.size)}, as registered (sha256:{found.digest[:12]}…)."
    )


def described(client: ControlPlane, model: str, number: int) -> tuple[ModelVersion, dict[str, str]]:
    """A version and the digest of each of its files."""
    found = client.versions.get(model, number)
    return found, {
        file.path: file.sha256 for file in client.versions.files(model, number)
    } if found.is_ready else {}


def facts_of(version: ModelVersion) -> dict[str, Any]:
    return {
        "model": version.model,
        "version": version.version,
        "status": version.status,
        "why": version.status_message,
        "aliases": version.aliases,
        "description": version.description,
        "metrics": version.metrics,
        "parameters": version.parameters,
        "digest": version.digest,
        "files": f"{version.file_count} ({size(version.size)})" if version.file_count else None,
        "source": version.source,
        "run": version.run_id,
        "commit": version.code_commit,
        "tags": version.tags,
        "format warning": version.format_warning,
        "integrity failure": version.integrity_failure,
        "by": version.created_by,
        "created": version.created_at,
        "ready": version.ready_at,
        "verified": version.verified_at,
    }


def tags_of(words: list[str] | None) -> dict[str, str] | None:
    if not words:
        return None
    if odd := [word for word in words if "=" not in word]:
        raise typer.BadParameter(f"--tag {odd[0]!r} has no '='; write key=value")
    return dict(word.split("=", 1) for word in words)


def run_of(source: str) -> str | None:
    """The run that ``runs:/<run id>/…`` names."""
    return source.removeprefix("runs:/").split("/", 1)[0] if source.startswith("runs:/") else None
