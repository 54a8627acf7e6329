"""From what formats and scanners say to one word; whatever is not known to be safe is not clean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from registry.scans.models import Scan

DANGEROUS = "dangerous"
Verdict = Scan.Verdict


def verdict_of(files: Sequence[dict[str, Any]], reports: Sequence[dict[str, Any]]) -> str:
    """Danger first, then what failed, then what nobody could scan, then formats that can run code."""
    findings = [finding for report in reports for finding in report["findings"]]
    if any(finding["severity"] == DANGEROUS for finding in findings):
        return Verdict.DANGEROUS
    if not reports or any(report["error"] for report in reports):
        return Verdict.FAILED
    unsafe = [each for each in files if not each["is_safe"]]
    to_scan = {each["path"] for each in unsafe if not each.get("needs_no_scan")}
    if to_scan - _scanned(reports):
        return Verdict.UNSCANNABLE
    if unsafe or findings or not files:
        return Verdict.UNPROVEN
    return Verdict.CLEAN


def _scanned(reports: Sequence[dict[str, Any]]) -> set[str]:
    """Files that one scanner at least went through to the end, and none gave up half way."""
    whole = {path for report in reports for path in report["scanned"]}
    return whole - {each["path"] for report in reports for each in report["partly"]}
