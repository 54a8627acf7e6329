"""Writes docs/reference/ from the code: the OpenAPI document, the REST pages, the command line, gates.

``python tools/reference.py`` writes, ``--check`` only says what is out of date (exit 1).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "client/src")]
FOLDER = ROOT / "docs/reference"
MADE = "<!-- Made by tools/reference.py; do not edit. -->\n\n"


def pages() -> dict[str, str]:
    """Name to text of every page."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings")
    import django  # noqa: PLC0415 - settings must be named before anything else is imported

    django.setup()
    from workspace.api_document import as_yaml  # noqa: PLC0415

    return {
        "openapi.yaml": as_yaml().decode(),
        "rest.md": _rest(),
        "command-line.md": _command_line(),
        "gates.md": _gates(),
    }


def _rest() -> str:
    from workspace.api_document import document  # noqa: PLC0415
    from workspace.api_reference import resources  # noqa: PLC0415

    parts = [
        "# REST\n\nEvery address below `/api/v1`; [openapi.yaml](openapi.yaml) is the same for machines, and `/api/docs/`"
        " of an installation shows it with answers field by field. Refusals are `application/problem+json`; lists"
        " answer `items`, `next`, `previous`; a GET answers an `ETag`, which PATCH, PUT and DELETE send back as"
        " `If-Match`; a POST takes an `Idempotency-Key`; long work answers 202 with the address of a job.\n"
    ]
    for resource in resources(document()):
        parts.append(f"\n## {resource.name}\n")
        parts += [_call(each) for each in resource.operations]
    return MADE + "".join(parts)


def _call(operation: Any) -> str:
    lines = [f"\n### `{operation.method} {operation.short}`\n"]
    if operation.words:
        lines.append(f"\n{operation.words}\n")
    asked = [each for each in operation.parameters if each.where != "header"]
    for title, fields in (("Parameters", asked), ("Body", operation.body)):
        if fields:
            lines.append(f"\n{title}:\n\n" + "".join(_field(each) for each in fields))
    answers = ", ".join(f"{each.status} ({each.words.rstrip('.').lower()})" for each in operation.answers)
    refusals = ", ".join(each.status for each in operation.refusals)
    lines.append(f"\nAnswers: {answers or 'none'}; else {refusals}.\n")
    return "".join(lines)


def _field(field: Any) -> str:
    needed = ", needed" if field.is_required else ""
    words = f": {field.words}" if field.words else ""
    return f"- `{field.name}` ({field.where + ', ' if field.where else ''}{field.kind}{needed}){words}\n"


def _command_line() -> str:
    from cplane.codes import MEANINGS  # noqa: PLC0415
    from cplane.main import app  # noqa: PLC0415
    from typer.main import get_command  # noqa: PLC0415

    codes = "".join(f"| {code} | {words} |\n" for code, words in MEANINGS.items())
    head = (
        "# `cplane`\n\n[How to use it](../how-to/command-line.md). Every command takes `--help`.\n\n"
        f"| exit code | meaning |\n| --- | --- |\n{codes}"
    )
    return MADE + head + "".join(_commands(get_command(app), ["cplane"]))


def _gates() -> str:
    from approvals.gate_schemas import GATES  # noqa: PLC0415

    head = (
        "# Gates of a policy\n\nA policy (`controlplane/policy/v1`) holds a list `gates`. Each has an `id` of its own, a `type`"
        " and a `mode`: `block` keeps a request from being approved, `warn` only says so. No gate passes on what is not"
        " known. Results are on the request's page, each with a link to what was looked at.\n"
    )
    return MADE + head + "".join(_gate(kind, schema) for kind, schema in sorted(GATES.items()))


def _gate(kind: str, schema: dict[str, Any]) -> str:
    own = {name: of for name, of in schema["properties"].items() if name not in {"id", "type", "mode"}}
    rows = [
        f"- `{name}` ({_allowed(of)}{', needed' if name in schema['required'] else ''})"
        f"{': ' + of['description'] if 'description' in of else ''}\n"
        for name, of in own.items()
    ]
    return f"\n## `{kind}`\n\n{schema['description']}\n" + ("\n" + "".join(rows) if rows else "")


def _allowed(of: dict[str, Any]) -> str:
    if of.get("type") == "array":
        return f"a list of {_allowed(of['items'])}"
    words = {"number": "a number", "integer": "a whole number", "string": "text", "boolean": "true or false"}
    choices = of.get("enum") or ([of["const"]] if "const" in of else [])
    return " or ".join(f"`{each}`" for each in choices) or words[of["type"]]


def _commands(command: Any, words: list[str]) -> list[str]:
    inner = getattr(command, "commands", None)
    if inner:
        return [part for name, each in inner.items() for part in _commands(each, [*words, name])]
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and each.name != "help"]
    usage = " ".join(
        [*words, *(f"<{each.name}>" if each.required else f"[<{each.name}>]" for each in arguments)]
    )
    text = f"\n## `{usage}`\n\n{command.help}\n"
    rows = [f"- `<{each.name}>`: {each.help}\n" for each in arguments if each.help]
    rows += [f"- `{', '.join(each.opts)}`{': ' + each.help if each.help else ''}\n" for each in options]
    return [text + ("\n" + "".join(rows) if rows else "")]


def main() -> int:
    out_of_date = [
        name
        for name, text in pages().items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text() != text
    ]
    if "--check" in sys.argv:
        print("\n".join(f"docs/reference/{name} is out of date" for name in out_of_date) or "up to date")
        return 1 if out_of_date else 0
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
    print(f"wrote {len(out_of_date)} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
