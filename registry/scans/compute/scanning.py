"""Inside the sandbox: read every file's format, then let each scanner look. One JSON line each."""

from __future__ import annotations

import json
import pickletools
import sys
from collections.abc import Callable
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

from pipelines.confinement import confine
from registry import formats
from registry.mlmodel import MLMODEL
from registry.scans.compute.layers import Layer, Unreadable, innermost, kind_of

MOST_FINDINGS = 300
SEVERITIES = {"dangerous": "dangerous", "suspicious": "suspicious"}
MODELSCAN_SEVERITIES = {
    "CRITICAL": "dangerous",
    "HIGH": "dangerous",
    "MEDIUM": "suspicious",
    "LOW": "suspicious",
}
Report = dict[str, Any]


def main() -> None:
    request = json.load(sys.stdin)
    confine()
    folder = Path(request["model"])
    files = described_files(folder)
    answer(files)
    for name in request["scanners"]:
        answer(SCANNERS[name](folder, files))


def answer(value: Any) -> None:
    print(json.dumps(value), flush=True)


def described_files(folder: Path) -> list[dict[str, Any]]:
    """Each file with its kind, and whether its format is known to run no code."""
    flavours = _flavours(folder)
    loaded, allowed = formats.loaded_files(flavours), formats.formats_allowed(flavours)
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    found = [
        _described(folder, path, path in formats.DESCRIBING and path not in loaded, allowed) for path in paths
    ]
    return found + _trusted(flavours) if MLMODEL in paths else found  # a prompt is loaded by nothing


def _described(folder: Path, path: str, only_describes: bool, allowed: frozenset[str]) -> dict[str, Any]:
    if only_describes:
        return {"path": path, "format": "description", "is_safe": True}
    known = formats.safe_format(path, lambda name: (folder / name).open("rb"))
    if known in allowed:
        return {"path": path, "format": known, "is_safe": True}
    with (folder / path).open("rb") as content:
        kind = kind_of(content.read(512))
    if kind == "other" and path.endswith(".py"):
        return {"path": path, "format": "Python source", "is_safe": False, "needs_no_scan": True}
    return {"path": path, "format": kind, "is_safe": False}


def _trusted(flavours: dict[str, Any]) -> list[dict[str, Any]]:
    """Whatever a flavour itself brings that runs when it is loaded, as an entry of its own."""
    warning = formats.flavour_warning(flavours)
    return (
        [{"path": "MLmodel", "format": warning, "is_safe": False, "needs_no_scan": True}] if warning else []
    )


def _flavours(folder: Path) -> dict[str, Any]:
    if not (folder / MLMODEL).exists():
        return {}
    document = yaml.safe_load((folder / MLMODEL).read_text(errors="replace"))
    flavours = document.get("flavors") if isinstance(document, dict) else None
    return flavours if isinstance(flavours, dict) else {}


def by_picklescan(folder: Path, files: list[dict[str, Any]]) -> Report:
    """Every layer of every file that is not known to be safe, whatever it is called."""
    report = _report("picklescan")
    for each in files:
        if each["is_safe"] or each.get("needs_no_scan"):
            continue
        path = each["path"]
        try:
            whole = [_picklescanned(layer, path, report) for layer in innermost(folder / path, path)]
        except Unreadable as error:
            report["partly"].append({"path": path, "why": str(error)[:300]})
            continue
        if whole and all(whole):
            report["scanned"].append(path)
        else:
            report["partly"].append({"path": path, "why": "it holds something that is no readable pickle"})
    return report


def _picklescanned(layer: Layer, path: str, report: Report) -> bool:
    """Add what was found in one layer; answers whether all of it could be read."""
    from picklescan.scanner import scan_numpy, scan_pickle_bytes  # noqa: PLC0415 - under the limits

    if layer.kind == "empty":
        return True
    scan: Callable[..., Any] = scan_numpy if layer.kind == "numpy" else scan_pickle_bytes
    try:
        result = scan(BytesIO(layer.data), layer.name)
    except Exception:
        return False
    for each in result.globals:
        if each.safety.value in SEVERITIES:
            _add(report, path, SEVERITIES[each.safety.value], f"{each.module}.{each.name}", layer.name)
    return not result.scan_err and (layer.kind == "numpy" or _is_whole_pickle(layer.data))


def _is_whole_pickle(data: bytes) -> bool:
    """Bytes that are no pickle from first to last were not scanned, whatever a scanner says."""
    stream = BytesIO(data)
    try:
        while stream.tell() < len(data):
            for _ in pickletools.genops(stream):
                pass
    except Exception:
        return False
    return True


def by_modelscan(folder: Path, files: list[dict[str, Any]]) -> Report:
    """ModelScan goes by file name; what it skips is told as not scanned."""
    from modelscan.modelscan import ModelScan  # noqa: PLC0415 - under the limits

    report = _report("modelscan")
    result = ModelScan().scan(folder)
    unsafe = {each["path"] for each in files if not each["is_safe"] and not each.get("needs_no_scan")}
    for issue in result["issues"]:
        severity = MODELSCAN_SEVERITIES.get(issue["severity"], "dangerous")
        what = ".".join(str(issue[key]) for key in ("module", "operator") if issue.get(key))
        _add(report, issue["source"].split(":")[0], severity, what or issue["description"], issue["source"])
    for error in result["errors"]:
        path = str(error.get("source", "")).split(":")[0]
        if path in unsafe or not path:
            report["partly"].append({"path": path, "why": str(error["description"])[:300]})
    troubled = {each["path"] for each in report["partly"]}
    scanned = {path.split(":")[0] for path in result["summary"]["scanned"].get("scanned_files", [])}
    report["scanned"] = sorted((scanned & unsafe) - troubled)
    return report


def _report(scanner: str) -> Report:
    return {
        "scanner": scanner,
        "version": version(scanner),
        "findings": [],
        "scanned": [],
        "partly": [],
        "error": "",
    }


def _add(report: Report, path: str, severity: str, what: str, where: str) -> None:
    finding = {"path": path, "severity": severity, "what": what[:200], "where": where[:300]}
    if finding not in report["findings"] and (
        len(report["findings"]) < MOST_FINDINGS or severity == "dangerous"
    ):
        report["findings"].append(finding)


SCANNERS: dict[str, Callable[[Path, list[dict[str, Any]]], Report]] = {
    "picklescan": by_picklescan,
    "modelscan": by_modelscan,
}

if __name__ == "__main__":
    main()
