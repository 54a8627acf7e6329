"""The locked requirements of a version, read line by line and never installed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

MOST_LINES = 5000
HASH = re.compile(r"\s--hash=\S+")


@dataclass(frozen=True)
class Locked:
    """One distribution; ``version`` is empty unless the line pins exactly one."""

    name: str
    version: str
    says: str


@dataclass
class Requirements:
    """What could be read, by canonical name, and the lines that name no distribution."""

    known: dict[str, Locked] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    @property
    def are_all_pinned(self) -> bool:
        return bool(self.known) and not self.unreadable and all(each.version for each in self.known.values())


def read_requirements(text: str) -> Requirements:
    """Requirements as pip writes them; comments and hashes are left out, the rest is told apart."""
    found = Requirements()
    for line in text.replace("\\\n", " ").splitlines()[:MOST_LINES]:
        plain = HASH.sub("", re.split(r"(?:^|\s)#", line, maxsplit=1)[0]).strip()
        if not plain:
            continue
        try:
            requirement = Requirement(plain)
        except InvalidRequirement:
            found.unreadable.append(plain[:200])
            continue
        locked = _locked(requirement, plain)
        found.known[locked.name] = locked
    return found


def _locked(requirement: Requirement, plain: str) -> Locked:
    pins = [each.version for each in requirement.specifier if each.operator in {"==", "==="}]
    exact = len(pins) == 1 and not pins[0].endswith(".*") and len(requirement.specifier) == 1
    return Locked(canonicalize_name(requirement.name), pins[0] if exact else "", plain[:200])
