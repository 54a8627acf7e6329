"""What a model's files say about themselves, read without loading the model.

Nothing here unpickles: ``MLmodel`` is read as plain YAML, formats are told by their first
bytes, and whatever is not known to be safe is called unsafe.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import yaml

from core.errors import Invalid
from core.text import checked_json
from registry.formats import DESCRIBING, flavour_warning, formats_allowed, loaded_files, safe_format

MLMODEL = "MLmodel"
REQUIREMENTS = "requirements.txt"
LARGEST_DESCRIPTION_FILE = 2 << 20


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
    loaded, allowed = loaded_files(flavours), formats_allowed(flavours)
    for path in paths:
        if path in DESCRIBING and path not in loaded:
            continue
        if safe_format(path, open_file) not in allowed:
            return (
                f"{path} is not in a format that its loader is known to read safely"
                f" ({', '.join(sorted(allowed))}); loading it can run code."
            )
    return ""


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
        except (ValueError, RecursionError) as error:
            raise Invalid(f"The {part} of the signature in MLmodel are not JSON.", field="source") from error
    if not parts:
        return None
    result: dict[str, Any] = checked_json(parts, "signature")
    return result


def _short(value: Any) -> str:
    return value[:64] if isinstance(value, str) else ""
