"""A scan in words and colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from registry.answers import Answer
from registry.models import ModelVersion
from registry.scans.models import Scan
from registry.scans.verdicts import DANGEROUS

LOOKS = {
    Scan.Verdict.CLEAN: ("ok", "circle-check"),
    Scan.Verdict.UNPROVEN: ("warn", "triangle-alert"),
    Scan.Verdict.UNSCANNABLE: ("warn", "circle-help"),
    Scan.Verdict.DANGEROUS: ("bad", "circle-x"),
    Scan.Verdict.FAILED: ("bad", "circle-slash"),
}
MOST_SHOWN = 20


@dataclass(frozen=True)
class Shown:
    """What the panel says; ``findings`` worst first."""

    scan: Scan | None
    version: ModelVersion
    tone: str
    icon: str
    word: str
    findings: list[dict[str, Any]]
    more: int
    formats: list[tuple[str, str, bool]]
    may_scan: bool

    @property
    def look(self) -> str:
        return f"i t-{self.tone}"


def shown(scan: Scan | None, version: ModelVersion, *, may_scan: bool) -> Shown:
    """The newest scan, or that there is none."""
    tone, icon, word = _answer(scan)
    findings = [
        {**finding, "scanner": report["scanner"]}
        for report in (scan.reports if scan else [])
        for finding in report["findings"]
    ]
    findings.sort(key=lambda finding: finding["severity"] != "dangerous")
    formats = [(each["path"], each["format"], each["is_safe"]) for each in (scan.files if scan else [])]
    return Shown(
        scan,
        version,
        tone,
        icon,
        word,
        findings[:MOST_SHOWN],
        max(0, len(findings) - MOST_SHOWN),
        sorted(formats, key=lambda each: each[2])[:MOST_SHOWN],
        may_scan,
    )


def dangers_of(version: ModelVersion) -> list[Answer]:
    """What stands first on the version's page when scanners call it dangerous; advisory."""
    scan = Scan.objects.filter(version=version).newest_first().first()
    if scan is None or scan.verdict != Scan.Verdict.DANGEROUS:
        return []
    named = dict.fromkeys(
        f"{finding['what']} in {finding['path']}"
        for report in scan.reports
        for finding in report["findings"]
        if finding["severity"] == DANGEROUS
    )
    detail = f"Loading it would reach {', '.join(list(named)[:3])}."
    return [Answer("bad", "circle-x", "A scanner calls it dangerous", detail)]


def _answer(scan: Scan | None) -> tuple[str, str, str]:
    if scan is None:
        return "warn", "circle-help", "Not scanned, so not known to be clean"
    if not scan.is_over:
        return "info", "loader-circle", "Being scanned"
    return (*LOOKS[Scan.Verdict(scan.verdict)], Scan.Verdict(scan.verdict).label)
