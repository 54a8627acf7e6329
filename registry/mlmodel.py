"""What a model's files say about themselves, read without loading the model.

Nothing here unpickles: ``MLmodel`` is read as plain YAML, formats are told by their first
bytes, and whatever is not known to be safe is called unsafe.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import yaml

from core.errors import Invalid
from core.text import checked_json

MLMODEL = "MLmodel"
REQUIREMENTS = "requirements.txt"
LARGEST_DESCRIPTION_FILE = 2 << 20
LARGEST_JSON = 64 << 20
MOST_ENTRIES = 100_000
# Files that describe a model and are never executed when it is loaded.
DESCRIBING = frozenset(
    {
        "MLmodel",
        "conda.yaml",
        "python_env.yaml",
        "requirements.txt",
        "registered_model_meta",
        "input_example.json",
        "serving_input_example.json",
        "input_example.csv",
        "README.md",
        "metadata.json",
    }
)


@dataclass
class Description:
    """What a version is, as its own files tell it."""

    flavours: dict[str, Any] = field(default_factory=dict)
    signature: dict[str, Any] | None = None
    requirements: str = ""
    environment: dict[str, Any] = field(default_factory=dict)
    run_id: str = ""
    logged_model_id: str = ""
    format_warning: str = ""


def describe(
    read_text: Callable[[str], str | None], open_file: Callable[[str], BinaryIO], paths: list[str]
) -> Description:
    """Read ``MLmodel`` and its companions; Invalid when the files are no MLflow model."""
    text = read_text(MLMODEL)
    if text is None:
        raise Invalid("The source holds no MLmodel file, so it is not an MLflow model.", field="source")
    document = _yaml(text, MLMODEL)
    flavours = document.get("flavors")
    if not isinstance(flavours, dict) or not flavours:
        raise Invalid("MLmodel names no flavours.", field="source")
    python = _yaml(read_text("python_env.yaml") or "{}", "python_env.yaml")
    return Description(
        flavours=checked_json(_plain(flavours), "flavors"),
        signature=_signature(document.get("signature")),
        requirements=(read_text(REQUIREMENTS) or "").replace("\x00", "")[:100_000],
        environment=checked_json(
            _plain({"python": python.get("python"), "mlflow": document.get("mlflow_version")}), "environment"
        ),
        run_id=_short(document.get("run_id")),
        logged_model_id=_short(document.get("model_id")),
        format_warning=format_warning(flavours, open_file, paths),
    )


def format_warning(flavours: dict[str, Any], open_file: Callable[[str], BinaryIO], paths: list[str]) -> str:
    """Why loading these files could run code, or the empty string when every format is known safe."""
    if warning := flavour_warning(flavours):
        return warning
    loaded = loaded_files(flavours)
    for path in paths:
        if path in DESCRIBING and path not in loaded:
            continue
        if not safe_format(path, open_file):
            return (
                f"{path} is not in a format known to be safe (safetensors, ONNX, skops or a booster's own);"
                " loading it can run code."
            )
    return ""


def flavour_warning(flavours: dict[str, Any]) -> str:
    """What the flavours themselves say that runs code, whatever the files hold."""
    for settings in flavours.values():
        if isinstance(settings, dict) and settings.get("code"):
            return "The model brings Python code of its own, which loading runs."
        loader = settings.get("loader_module", "mlflow.") if isinstance(settings, dict) else "mlflow."
        if not str(loader).startswith("mlflow."):
            return f"The model is loaded by code of its own ({str(loader)[:100]})."
        if isinstance(settings, dict) and str(settings.get("serialization_format", "")).endswith("pickle"):
            return "The model is pickled; loading a pickle can run code."
    return ""


def loaded_files(value: Any) -> set[str]:
    """Every text in the flavours: a file named there is loaded, whatever its name pretends to be."""
    if isinstance(value, dict):
        return set().union(*(loaded_files(item) for key, item in value.items() if key != "env"))
    if isinstance(value, list):
        return set().union(*(loaded_files(item) for item in value))
    return {value.strip().removeprefix("./")} if isinstance(value, str) else set()


def safe_format(path: str, open_file: Callable[[str], BinaryIO]) -> str:
    """The format's name if it runs no code, by suffix and content alike: a renamed pickle has the wrong
    first bytes. Empty for everything else.
    """
    known = SAFE_FORMATS.get(PurePosixPath(path).suffix.lower())
    if known is None:
        return ""
    name, check = known
    try:
        with open_file(path) as content:
            if not check(content):
                return ""
            # A zip may begin with anything: such a file is two formats at once.
            return "" if name != "skops" and zipfile.is_zipfile(content) else name
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, RecursionError):
        return ""


def _safetensors(content: BinaryIO) -> bool:
    length = int.from_bytes(content.read(8), "little")
    if not 2 <= length <= 100_000_000:
        return False
    return isinstance(json.loads(content.read(length)), dict)


def _onnx(content: BinaryIO) -> bool:
    start = content.read(2)
    return len(start) == 2 and start[0] == 0x08 and 1 <= start[1] <= 30


def _skops(content: BinaryIO) -> bool:
    """A zip of a schema and plain arrays; anything else inside could be a pickle."""
    with zipfile.ZipFile(content) as archive:
        names = archive.namelist()
        if "schema.json" not in names or len(names) > MOST_ENTRIES:
            return False
        return all(
            name == "schema.json" or (name.endswith(".npy") and _plain_array(archive.open(name)))
            for name in names
        )


def _plain_array(content: Any) -> bool:
    with content:
        start = content.read(256)
    return bool(start.startswith(b"\x93NUMPY") and b"'|O'" not in start and b"'O'" not in start)


def _json_text(content: BinaryIO) -> bool:
    text = content.read(LARGEST_JSON + 1)
    if len(text) > LARGEST_JSON:
        return False
    json.loads(text)
    return True


def _ubjson(content: BinaryIO) -> bool:
    return content.read(2) in {b"{L", b"{i", b"{U", b"{l", b"{I"}


def _lightgbm(content: BinaryIO) -> bool:
    return content.read(5) == b"tree\n"


def _catboost(content: BinaryIO) -> bool:
    return content.read(4) == b"CBM1"


SAFE_FORMATS: dict[str, tuple[str, Callable[[BinaryIO], bool]]] = {
    ".safetensors": ("safetensors", _safetensors),
    ".onnx": ("ONNX", _onnx),
    ".skops": ("skops", _skops),
    ".json": ("JSON", _json_text),
    ".ubj": ("UBJSON", _ubjson),
    ".txt": ("LightGBM text", _lightgbm),
    ".lgb": ("LightGBM text", _lightgbm),
    ".cbm": ("CatBoost", _catboost),
}


def _yaml(text: str, name: str) -> dict[str, Any]:
    try:
        document = yaml.load(text, Loader=_PlainLoader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Invalid(f"{name} is not plain YAML.", field="source") from error
    if not isinstance(document, dict):
        raise Invalid(f"{name} is not a table of names and values.", field="source")
    return document


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases, which could grow a small file to gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)


def _plain(value: Any) -> Any:
    """YAML knows dates, numbers without end and keys that are no text; JSON does not."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def _signature(value: Any) -> dict[str, Any] | None:
    """Input, output and parameter schemas, each a list of columns or tensors."""
    if not isinstance(value, dict):
        return None
    parts: dict[str, Any] = {}
    for part in ("inputs", "outputs", "params"):
        text = value.get(part)
        if not text:
            continue
        try:
            parts[part] = json.loads(text) if isinstance(text, str) else _plain(text)
        except ValueError as error:
            raise Invalid(f"The {part} of the signature in MLmodel are not JSON.", field="source") from error
    if not parts:
        return None
    result: dict[str, Any] = checked_json(parts, "signature")
    return result


def _short(value: Any) -> str:
    return value[:64] if isinstance(value, str) else ""
