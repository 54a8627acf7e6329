"""What a CSV file's cells mean where guessing by type alone would change them without a word."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import polars as pl

# A missing value, in columns of numbers, times and text alike.
MISSING = ["", "NA", "NaN", "nan", "null"]
CODE = r"^[+-]?0\d+$"
WHOLE = r"^[+-]?\d+$"
BEYOND_64_BITS = r"^[+-]?0*[1-9]\d{19,}$"
LONE_RETURN = re.compile(rb"\r(?!\n)")
# What Python's reader says -> what to look for in the line where the row begins.
PLAINLY = {
    "unexpected end of data": "a quotation mark is opened and never closed",
    "',' expected after '\"'": "something other than a comma follows a closing quotation mark",
}
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def other_separator(header: list[str]) -> str:
    """What seems to separate the columns, if the header is one name that holds no comma's worth of them."""
    only = header[0] if len(header) == 1 else ""
    return next((words for sign, words in SEPARATORS.items() if sign in only), "")


def kept_as_text(path: Path) -> dict[str, type[pl.String]]:
    """Columns whose digits would be lost as a number: 00123, and whole numbers beyond 64 bits."""
    cells = pl.scan_csv(path, infer_schema=False, null_values=MISSING)
    names = cells.collect_schema().names()
    asked = [
        (
            pl.col(name).str.contains(CODE).any()
            | (pl.col(name).str.contains(BEYOND_64_BITS).any() & pl.col(name).str.contains(WHOLE).all())
        ).alias(name)
        for name in names
    ]
    [found] = cells.select(asked).collect(engine="streaming").rows()
    return {name: pl.String for name, is_text in zip(names, found, strict=True) if is_text}


def first_odd_line(path: Path, columns: int) -> str:
    """The row at fault in a file that was refused as a whole, in a sentence; empty when none is found."""
    with path.open(encoding="utf-8-sig", newline="") as text:
        rows, begun = csv.reader(text, strict=True), 1
        try:
            for number, cells in enumerate(rows):
                if len(cells) > columns:
                    return f"Row {number} has {len(cells)} cells, and the header names {columns} columns."
                begun = rows.line_num + 1
        except csv.Error as error:
            return f"Line {begun} is not CSV: {PLAINLY.get(str(error), str(error))}."
    return ""


def odd_line_ends(path: Path) -> str:
    """For a file that was refused: whether lines end as no reader of tables takes them."""
    if not LONE_RETURN.search(path.read_bytes()):
        return ""
    return "Lines end with a carriage return alone (old Macintosh text); end them with a line feed."
