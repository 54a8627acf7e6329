"""Which stored file of a version is not what was registered, in parts that pages and incidents name."""

from __future__ import annotations

from dataclasses import dataclass

from core.digests import SHA256
from registry.models import ModelVersion

LONGEST_PATH = 120


@dataclass(frozen=True)
class ChangedFile:
    """The first file that was found changed or gone; without a path it is the list of the files itself."""

    path: str
    registered: str
    stored: str = ""

    @property
    def name(self) -> str:
        """The path, short enough for a title."""
        if not self.path:
            return "The list of files"
        return self.path if len(self.path) <= LONGEST_PATH else f"…{self.path[-LONGEST_PATH:]}"

    @property
    def finding(self) -> str:
        """What is wrong with it, completing its name."""
        if self.path and not self.stored:
            return "is gone from the store"
        return "is not what was registered"


def changed_file(version: ModelVersion) -> ChangedFile | None:
    """Nothing while every file is as registered, as far as somebody has looked."""
    failure = version.integrity_failure
    if not failure:
        return None
    for entry in version.manifest:
        if failure.startswith(f"{entry['path']}: "):
            stored = SHA256.findall(failure.removeprefix(f"{entry['path']}: ").partition(", registered")[0])
            is_other = bool(stored) and stored[0] != entry["sha256"]
            return ChangedFile(entry["path"], entry["sha256"], stored[0] if is_other else "")
    return ChangedFile("", version.digest)
