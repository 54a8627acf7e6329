"""Paths of artifacts: plain parts only, whatever disguise the others wear."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

from controlplane.edge.answers import Refused

DRIVE = re.compile(r"^[A-Za-z]:")
LONGEST_PART = 255
LONGEST_PATH = 2000
MOST_DECODINGS = 6
ALLOWED = "a relative path of plain names"


def plain_parts(path: str) -> list[str]:
    """The parts of a decoded path; hidden forms of '..' are undone first and then refused."""
    seen = path
    for _ in range(MOST_DECODINGS):
        _refuse_unsafe(seen)
        undone = unquote(seen, errors="strict") if _is_decodable(seen) else seen
        if undone == seen:
            return path.rstrip("/").split("/") if path.rstrip("/") else []
        seen = undone
    raise _refused("is percent-encoded too often")


def _is_decodable(text: str) -> bool:
    try:
        unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise _refused("holds bytes that are not UTF-8") from None
    return True


def _refuse_unsafe(path: str) -> None:
    if len(path) > LONGEST_PATH:
        raise _refused(f"is longer than {LONGEST_PATH} characters")
    if path.startswith("/"):
        raise _refused("is absolute")
    if "\\" in path:
        raise _refused("holds a backslash")
    if any(unicodedata.category(each) in {"Cc", "Cf", "Cs"} or each == "\ufffd" for each in path):
        raise _refused("holds a control, zero-width or surrogate character")
    parts = path.rstrip("/").split("/") if path else []
    if any(unicodedata.normalize("NFKC", part).strip() in {".", ".."} for part in parts):
        raise _refused("holds '.' or '..' as a part")
    if any(DRIVE.match(part) or part.startswith("~") for part in parts):
        raise _refused("holds a drive letter or a home folder")
    if any(not part for part in parts):
        raise _refused("holds an empty part")
    if any(len(part.encode()) > LONGEST_PART for part in parts):
        raise _refused(f"holds a part longer than {LONGEST_PART} bytes")


def _refused(why: str) -> Refused:
    return Refused(400, f"The artifact path {why}; allowed is {ALLOWED}.")
