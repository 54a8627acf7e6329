"""What an import brought, found in place, and could not bring."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

CAME, HERE, NOT = "came", "here already", "could not come"
OUTCOMES = (CAME, HERE, NOT)
KINDS = ("model", "prompt", "version", "run", "alias", "stage", "tag", "description")
# What of a registry is elsewhere on the server, said so that nobody looks for it here.
NEVER_BROUGHT = (
    "runs and experiments themselves: a version keeps the parameters, last metric values, tags and"
    " times of its run as facts",
    "the history of metrics, and files of runs outside the model's own folder",
    "traces, webhooks, users and permissions of the server",
)


@dataclass(frozen=True)
class Entry:
    """One thing and what became of it; ``note`` says why, or what is to be known about it."""

    kind: str
    name: str
    outcome: str
    note: str = ""


@dataclass
class Report:
    """Everything an import met, in the order it met it."""

    server: str
    is_rehearsal: bool = False
    entries: list[Entry] = field(default_factory=list)
    files: int = 0
    bytes: int = 0
    stopped: str = ""

    def came(self, kind: str, name: str, note: str = "") -> None:
        self.entries.append(Entry(kind, name, CAME, note))

    def here(self, kind: str, name: str, note: str = "") -> None:
        self.entries.append(Entry(kind, name, HERE, note))

    def could_not(self, kind: str, name: str, why: object) -> None:
        self.entries.append(Entry(kind, name, NOT, str(why)))

    def counts(self) -> dict[str, dict[str, int]]:
        counted = Counter((entry.kind, entry.outcome) for entry in self.entries)
        met = [kind for kind in KINDS if any((kind, outcome) in counted for outcome in OUTCOMES)]
        return {kind: {outcome: counted[kind, outcome] for outcome in OUTCOMES} for kind in met}

    def noted(self) -> list[Entry]:
        """What somebody should read: all that did not come, and what came otherwise than it was."""
        return [entry for entry in self.entries if entry.note]

    def to_json(self) -> dict[str, Any]:
        return {
            "server": self.server,
            "dry_run": self.is_rehearsal,
            "stopped": self.stopped or None,
            "files": self.files,
            "bytes": self.bytes,
            "counts": {
                kind: {outcome.replace(" ", "_"): count for outcome, count in row.items()}
                for kind, row in self.counts().items()
            },
            "entries": [{**asdict(each), "outcome": each.outcome.replace(" ", "_")} for each in self.entries],
            "never_brought": list(NEVER_BROUGHT),
        }
