"""cplane compare."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cplane.output import Form, Output, Printer, Quiet, plain
from cplane.session import Model, Url, Version, number_of, plane

GROUPS = {
    "parameters": "parameter",
    "tags": "tag",
    "signature": "column",
    "datasets": "data",
    "requirements": "requirement",
    "environment": "environment",
}


def compare(
    model: Model,
    version: Version,
    other: Annotated[str, typer.Argument(help="The version to hold against it.")],
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Two versions as the installation compares them: metrics on the same rows, data, signature, card.

    Metrics of runs are subtracted only where both were tested on the same data; otherwise it says why not.
    """
    printer = Printer(output, quiet)
    with plane(url) as client:
        first, second = (number_of(client, model, word) for word in (version, other))
        found = client.versions.compare(model, first, second)
    if printer.form is not Form.TABLE:
        printer.data(found)
        return
    rows = [*_judged(found), *_metrics(found), *_lines(found), *_card(found)]
    if rows:
        printer.table(["WHAT", "NAME", f"v{first}", f"v{second}", "DIFFERENCE"], rows)
    else:
        printer.say(f"v{first} and v{second} do not differ in anything that is compared.")
    if found["refusal"]:
        printer.say(f"The metrics of their runs are not subtracted: {found['refusal']}")


def _judged(found: dict[str, Any]) -> list[list[Any]]:
    """What an evaluation of both found on the same rows, with its interval."""
    rows = (found["evaluation"] or {}).get("metrics", [])
    return [["evaluation", each["name"], each["a"], each["b"], _interval(each)] for each in rows]


def _interval(row: dict[str, Any]) -> str:
    if row["difference"] is None:
        return str(row["verdict"])
    bounds = f" ({row['low']:+.4f} to {row['high']:+.4f})" if row["low"] is not None else ""
    return f"{row['difference']:+.4f}{bounds}, {row['verdict']}"


def _metrics(found: dict[str, Any]) -> list[list[Any]]:
    return [
        ["metric", each["name"], each["a"], each["b"], _signed(each["difference"])]
        for each in found["metrics"]
        if each["a"] != each["b"]
    ]


def _signed(difference: float | None) -> str:
    return "" if difference is None else f"{difference:+.6g}"


def _lines(found: dict[str, Any]) -> list[list[Any]]:
    return [
        [
            word,
            each["name"],
            each["a"],
            each["b"],
            f"{each['change']}{', breaking' if each.get('breaks') else ''}",
        ]
        for group, word in GROUPS.items()
        for each in found[group]
        if each["change"] != "same"
    ]


def _card(found: dict[str, Any]) -> list[list[Any]]:
    card = found["card"]
    revisions = [f"revision {plain(card[side])}" if card[side] else None for side in ("a", "b")]
    return [["card", each["title"], *revisions, "changed"] for each in card["differences"]]
