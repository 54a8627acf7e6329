"""Which files run no code when they are loaded: a format is safe only with a loader that reads nothing else.

A file can be two formats at once (the first bytes of a CatBoost model, or the header of a
safetensors file, can be a pickle), and a flavour may name any file. So the loader's own format
decides, told by suffix and content, and what is not known to be safe is called unsafe.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any, BinaryIO

LARGEST_JSON = 64 << 20
LARGEST_HEADER = 100_000_000
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
        "prompt.json",
    }
)

# What each of MLflow's loaders reads without running code, given the settings below.
READ_SAFELY: dict[str, frozenset[str]] = {
    "mlflow.sklearn": frozenset({"skops"}),
    "mlflow.onnx": frozenset({"ONNX"}),
    "mlflow.xgboost": frozenset({"JSON", "UBJSON"}),
    "mlflow.lightgbm": frozenset({"LightGBM text"}),
    "mlflow.catboost": frozenset({"CatBoost"}),
    "mlflow.transformers": frozenset({"safetensors", "JSON"}),
}
BOOSTER = "lightgbm.basic.Booster"
# Classes, told by their capital letter: a function of the same libraries could run anything.
USUAL_TYPE = re.compile(
    r"^((sklearn|xgboost|lightgbm|catboost|numpy|scipy|pandas)(\.\w+)*\.[A-Z]\w*"
    r"|numpy\.(dtype|ndarray|u?int\d+|float\d+|bool_?|str_|object_)"
    r"|collections\.(OrderedDict|defaultdict|Counter)|builtins\.(set|frozenset|bytes|slice))$"
)


def flavour_warning(flavours: dict[str, Any]) -> str:
    """What the flavours themselves say that runs code, whatever the files hold."""
    for settings in flavours.values():
        if isinstance(settings, dict) and settings.get("code"):
            return "The model brings Python code of its own, which loading runs."
    for loader in loaders(flavours):
        settings = flavours.get(loader.removeprefix("mlflow."))
        if not loader.startswith("mlflow."):
            return f"The model is loaded by code of its own ({loader[:100]})."
        if _pickles(loader, settings if isinstance(settings, dict) else {}):
            return "The model is pickled; loading a pickle can run code."
        if loader not in READ_SAFELY:
            return f"Nothing is known of what {loader[:100]} runs when it loads a model."
    if odd := _oddly_trusted(flavours):
        return f"skops is told to trust {odd[:300]}, which can run code."
    return ""


def loaders(flavours: dict[str, Any]) -> list[str]:
    """The modules of MLflow, or of the model's own, that may be asked to load it."""
    named = [
        str(settings.get("loader_module") or "(none)") if name == "python_function" else f"mlflow.{name}"
        for name, settings in flavours.items()
        if isinstance(settings, dict)
    ]
    return named or ["(none)"]


def formats_allowed(flavours: dict[str, Any]) -> frozenset[str]:
    """The formats that every loader reads safely: any of them may be asked to load any file."""
    return frozenset.intersection(*(READ_SAFELY.get(each, frozenset()) for each in loaders(flavours)))


def _pickles(loader: str, settings: dict[str, Any]) -> bool:
    """Whether it unpickles: some do unless the settings say otherwise (MLflow's own defaults)."""
    if str(settings.get("serialization_format", "")).endswith("pickle"):
        return True
    if loader == "mlflow.sklearn":
        return settings.get("serialization_format") != "skops"
    if loader == "mlflow.lightgbm":
        return settings.get("model_class", BOOSTER) != BOOSTER
    return False


def _oddly_trusted(flavours: dict[str, Any]) -> str:
    """Types that skops must not be told to trust by the very model: anything but well-known classes."""
    trusted = [
        str(name)
        for settings in flavours.values()
        if isinstance(settings, dict)
        for name in _as_list(settings.get("skops_trusted_types"))
    ]
    return ", ".join(name for name in trusted if not USUAL_TYPE.match(name))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def loaded_files(value: Any) -> set[str]:
    """Every text in the flavours: a file named there is loaded, whatever its name pretends to be."""
    if isinstance(value, dict):
        return set().union(*(loaded_files(item) for key, item in value.items() if key != "env"))
    if isinstance(value, list):
        return set().union(*(loaded_files(item) for item in value))
    return {value.strip().removeprefix("./")} if isinstance(value, str) else set()


def safe_format(path: str, open_file: Callable[[str], BinaryIO]) -> str:
    """The name of the format by suffix and content alike; empty for what could be anything else.

    Whether it is safe depends on who loads it, see ``formats_allowed``.
    """
    known = FORMATS.get(PurePosixPath(path).suffix.lower())
    if known is None:
        return ""
    name, check = known
    try:
        with open_file(path) as content:
            if not check(content):
                return ""
            # A zip may begin with anything: such a file is two formats at once.
            return "" if name != "skops" and zipfile.is_zipfile(content) else name
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, RecursionError):
        return ""


def _safetensors(content: BinaryIO) -> bool:
    """Length, a JSON header, and exactly the bytes that its tensors name (the format's specification)."""
    length = int.from_bytes(content.read(8), "little")
    if not 2 <= length <= LARGEST_HEADER:
        return False
    text = content.read(length)
    if not text.startswith(b"{"):
        return False
    header = json.loads(text)
    header.pop("__metadata__", None)
    end = 0
    for start, stop in sorted(tensor["data_offsets"] for tensor in header.values()):
        if start != end or stop < start:
            return False
        end = stop
    return content.seek(0, 2) == 8 + length + end


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


FORMATS: dict[str, tuple[str, Callable[[BinaryIO], bool]]] = {
    ".safetensors": ("safetensors", _safetensors),
    ".onnx": ("ONNX", _onnx),
    ".skops": ("skops", _skops),
    ".json": ("JSON", _json_text),
    ".ubj": ("UBJSON", _ubjson),
    ".txt": ("LightGBM text", _lightgbm),
    ".lgb": ("LightGBM text", _lightgbm),
    ".cbm": ("CatBoost", _catboost),
}
