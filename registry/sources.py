"""Where a version's files come from: the few forms of source that are accepted, taken apart."""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from core.errors import Invalid
from core.text import storable_text
from registry.names import normal_name
from registry.tracked import RUN_ID

LONGEST_SOURCE = 2000
LOGGED_MODEL_ID = re.compile(r"^m-[A-Za-z0-9_-]{1,62}\Z")
RUNS = re.compile(r"^runs:/+([^/]+)(?:/(.*))?\Z", re.DOTALL)
LOGGED_MODEL = re.compile(r"^models:/+(m-[^/@]+)(?:/(.*))?\Z", re.DOTALL)
VERSION = re.compile(r"^models:/+([^/@]+)/(\d{1,9})\Z")
UPLOAD = re.compile(r"^uploads:/+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")
ARTIFACTS = re.compile(r"^mlflow-artifacts:/+([^/].*)\Z", re.DOTALL)
ALLOWED = (
    "runs:/<run id>/<path>, models:/m-<logged model id>, models:/<registered model>/<version>"
    ", uploads:/<upload id> or mlflow-artifacts:/<path> of the run or logged model"
)


@dataclass(frozen=True)
class Source:
    """A source taken apart. ``kind`` is run, logged_model, version, upload or artifacts.

    ``owner`` is the id of run, logged model or upload, or the registered model's name, and empty for
    ``artifacts``, whose owner the tracking server must confirm. ``path`` is relative.
    """

    kind: str
    owner: str
    path: str = ""
    number: int = 0


def parse_source(value: object) -> Source:
    """The source's parts, or Invalid naming ``source`` and what is allowed."""
    text = storable_text(value, "source", LONGEST_SOURCE)
    if (match := VERSION.match(text)) and not LOGGED_MODEL_ID.match(match[1]):
        return Source("version", normal_name(match[1]), number=int(match[2]))
    if match := RUNS.match(text):
        if not RUN_ID.fullmatch(match[1]):
            raise _refused("names no run id")
        return Source("run", match[1], checked_path(match[2] or ""))
    if match := LOGGED_MODEL.match(text):
        if not LOGGED_MODEL_ID.match(match[1]):
            raise _refused("names no logged model id")
        return Source("logged_model", match[1], checked_path(match[2] or ""))
    if match := UPLOAD.match(text):
        return Source("upload", match[1])
    if text.startswith("mlflow-artifacts://") and not text.startswith("mlflow-artifacts:///"):
        raise _refused("names a server; use mlflow-artifacts:/<path>")
    if match := ARTIFACTS.match(text):
        return Source("artifacts", "", checked_path(match[1]))
    raise _refused("has another form")


def checked_path(path: str, field: str = "source") -> str:
    """A relative path of plain parts; hidden forms of '..' are undone first and then refused."""
    seen = path
    for _ in range(6):
        _refuse_unsafe(seen, field)
        undone = unquote(seen)
        if undone == seen:
            break
        seen = undone
    else:
        raise _refused("is percent-encoded too often", field)
    return "/".join(part for part in path.split("/") if part)


def _refuse_unsafe(path: str, field: str) -> None:
    if path.startswith("/") or re.match(r"^[A-Za-z]:", path):
        raise _refused("holds an absolute path", field)
    if "\\" in path:
        raise _refused("holds a backslash", field)
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in path):
        raise _refused("holds a control, zero-width or surrogate character", field)
    parts = path.split("/")
    if any(part in {".", ".."} for part in parts):
        raise _refused("holds '.' or '..' as a part of its path", field)
    if any(len(part.encode()) > 255 for part in parts):
        raise _refused("holds a part longer than 255 bytes", field)
    if any("?" in part or "#" in part for part in parts):
        raise _refused("holds '?' or '#'", field)


def _refused(why: str, field: str = "source") -> Invalid:
    return Invalid(f"The {field} {why}; allowed is {ALLOWED}.", field=field, allowed=ALLOWED)
