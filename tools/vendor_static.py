"""Refresh static/vendor/ (and the tests' axe-core) from the npm registry; nothing is fetched at run time.

python tools/vendor_static.py            # needs `npm` and a network to the package registry
python tools/vendor_static.py --check    # only compares what is there with CHECKSUMS
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "static" / "vendor"
AXE = ROOT / "tests" / "browser" / "vendor"
LUCIDE = "1.62.0"
SUBSETS = {"latin": "", "latin-ext": "", "cyrillic": "", "greek": "", "vietnamese": ""}
# package, version, {file in the package: file here}
PACKAGES: list[tuple[str, str, Path, dict[str, str]]] = [
    ("htmx.org", "2.0.11", VENDOR, {"dist/htmx.min.js": "htmx-2.0.11.min.js", "LICENSE": "htmx-LICENSE.txt"}),
    (
        "plotly.js-basic-dist-min",
        "3.7.0",
        VENDOR,
        {"plotly-basic.min.js": "plotly-basic-3.7.0.min.js", "LICENSE": "plotly-LICENSE.txt"},
    ),
    (
        "@fontsource-variable/ibm-plex-sans",
        "5.3.0",
        VENDOR,
        {
            **{
                f"files/ibm-plex-sans-{subset}-wght-normal.woff2": f"ibm-plex-sans-5.3.0-{subset}.woff2"
                for subset in SUBSETS
            },
            "LICENSE": "ibm-plex-sans-LICENSE.txt",
        },
    ),
    (
        "@fontsource/ibm-plex-mono",
        "5.3.0",
        VENDOR,
        {
            "files/ibm-plex-mono-latin-400-normal.woff2": "ibm-plex-mono-5.3.0-latin-400.woff2",
            "files/ibm-plex-mono-latin-500-normal.woff2": "ibm-plex-mono-5.3.0-latin-500.woff2",
            "LICENSE": "ibm-plex-mono-LICENSE.txt",
        },
    ),
    ("axe-core", "4.14.1", AXE, {"axe.min.js": "axe-4.14.1.min.js", "LICENSE": "axe-LICENSE.txt"}),
]
ICONS = [
    "activity",
    "arrow-down-right",
    "arrow-right",
    "arrow-up-right",
    "badge-check",
    "bell",
    "book-open",
    "boxes",
    "calendar",
    "check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "circle-check",
    "circle-dashed",
    "circle-dollar-sign",
    "circle-dot",
    "circle-help",
    "circle-pause",
    "circle-play",
    "circle-slash",
    "circle-x",
    "clock",
    "code",
    "copy",
    "cpu",
    "database",
    "download",
    "ellipsis",
    "external-link",
    "eye",
    "file-check",
    "file-diff",
    "file-text",
    "filter",
    "fingerprint-pattern",
    "flag",
    "gauge",
    "git-branch",
    "git-compare",
    "hard-drive",
    "hash",
    "history",
    "hourglass",
    "inbox",
    "info",
    "key-round",
    "keyboard",
    "layers",
    "link",
    "list",
    "loader-circle",
    "lock",
    "log-out",
    "menu",
    "message-square",
    "minus",
    "moon",
    "package",
    "pause",
    "pen-line",
    "pencil",
    "play",
    "plus",
    "printer",
    "refresh-cw",
    "rocket",
    "scale",
    "scroll-text",
    "search",
    "server",
    "settings",
    "shield-check",
    "siren",
    "split",
    "square",
    "sun",
    "table",
    "tag",
    "target",
    "triangle-alert",
    "undo-2",
    "upload",
    "user",
    "user-check",
    "users",
    "workflow",
    "x",
    "zap",
]


def unpack(package: str, version: str, into: Path) -> Path:
    subprocess.run(
        ["npm", "pack", "--silent", f"{package}@{version}"], cwd=into, check=True, capture_output=True
    )
    archive = max(into.glob("*.tgz"), key=lambda path: path.stat().st_mtime)
    folder = into / archive.stem
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    archive.unlink()
    return folder / "package"


def plotly_style(bundle: str) -> str:
    """The rules the bundle would inject at run time, as a file the policy allows."""
    found = re.search(r'\{("X,X div":.*?)\},?[;\w]', bundle, re.DOTALL)
    if not found:
        raise SystemExit("plotly's style rules were not found in the bundle")
    rules = re.findall(r'"((?:X|Y)[^"]*)":(?:"([^"]*)"|\'([^\']*)\')', found.group(1))
    lines = []
    for selector, double, single in rules:
        selector = selector.replace("X", ".js-plotly-plot .plotly").replace("Y", ".plotly-notifier")
        lines.append(f"{selector} {{{double or single}}}")
    return "\n".join(lines) + "\n"


def sprite(folder: Path) -> str:
    symbols = []
    for name in sorted(ICONS):
        path = folder / "icons" / f"{name}.svg"
        if not path.exists():
            print(f"no icon named {name}", file=sys.stderr)
            continue
        drawing = re.search(r"<svg[^>]*>(.*)</svg>", path.read_text(), re.DOTALL)
        inner = " ".join(drawing.group(1).split()) if drawing else ""
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
            f'stroke-linecap="round" stroke-linejoin="round">{inner}</symbol>'
        )
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "\n".join(symbols) + "</svg>\n"


def checksums(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != "CHECKSUMS.json"
    }


def refresh() -> None:
    for folder in (VENDOR, AXE):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for package, version, target, files in PACKAGES:
            unpacked = unpack(package, version, work)
            for source, here in files.items():
                (target / here).write_bytes((unpacked / source).read_bytes())
        lucide = unpack("lucide-static", LUCIDE, work)
        (VENDOR / f"lucide-{LUCIDE}.svg").write_text(sprite(lucide))
        (VENDOR / "lucide-LICENSE.txt").write_bytes((lucide / "LICENSE").read_bytes())
    bundle = (VENDOR / "plotly-basic-3.7.0.min.js").read_text()
    (VENDOR / "plotly-3.7.0.css").write_text(plotly_style(bundle))
    for folder in (VENDOR, AXE):
        (folder / "CHECKSUMS.json").write_text(json.dumps(checksums(folder), indent=1) + "\n")


def check() -> None:
    for folder in (VENDOR, AXE):
        if json.loads((folder / "CHECKSUMS.json").read_text()) != checksums(folder):
            raise SystemExit(f"{folder} differs from its CHECKSUMS.json")


if __name__ == "__main__":
    check() if "--check" in sys.argv else refresh()
