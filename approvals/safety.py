"""Gates on what scanners found in a version and on who signed it: pure, like the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CODE_CAN_RUN = "unproven"
WHOLE = {"clean", CODE_CAN_RUN, "dangerous"}
WORSE = {"suspicious": {"suspicious", "dangerous"}, "dangerous": {"dangerous"}}
MOST_NAMED = 3


@dataclass(frozen=True)
class Finding:
    """One thing a scanner names: ``severity`` is dangerous or suspicious."""

    severity: str
    what: str
    path: str


@dataclass(frozen=True)
class ScanEvidence:
    """The newest scan of the version's bytes that is over; ``verdict`` is the scan's own word."""

    verdict: str
    scanners: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class SignatureEvidence:
    """``outcome`` is verified, untrusted or failed; a key that is retired now is not trusted now."""

    outcome: str
    key: str = ""
    is_key_retired: bool = False


def judge_scan(gate: dict[str, Any], seen: ScanEvidence | None) -> tuple[str, str, str, bool]:
    severity = gate["severity"]
    title, rule = "Scanners", f"scanned whole, nothing {' or '.join(sorted(WORSE[severity]))} found"
    if gate.get("needs_clean"):
        rule += ", in formats that run no code"
    if seen is None:
        return title, rule, "not scanned", False
    found = [each for each in seen.findings if each.severity in WORSE[severity]]
    if found:
        named = list(dict.fromkeys(f"{each.what} in {each.path}" for each in found))
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        return title, rule, f"{found[0].severity}: {', '.join(named[:MOST_NAMED])}{more}", False
    if seen.verdict not in WHOLE:
        words = {"unscannable": "not all of it could be scanned"}
        return title, rule, words.get(seen.verdict, "the scan failed, so nothing is known"), False
    what = "nothing" if severity == "suspicious" else f"nothing {severity}"
    by = f"{what} found by {' and '.join(seen.scanners)}"
    if gate.get("needs_clean") and seen.verdict != "clean":
        return title, rule, f"its format can run code; {by}", False
    return title, rule, by, True


def judge_signature(gate: dict[str, Any], seen: SignatureEvidence | None) -> tuple[str, str, str, bool]:
    keys = gate.get("keys")
    title = "Model signature"
    rule = "verified, by a trusted key" if not keys else f"verified, by one of: {', '.join(keys)}"
    if seen is None:
        return title, rule, "unsigned, or not checked yet", False
    if seen.outcome != "verified":
        words = {"untrusted": "made by no trusted key"}
        return title, rule, words.get(seen.outcome, "the signature does not hold"), False
    if seen.is_key_retired:
        return title, rule, f"by {seen.key}, which is retired", False
    return title, rule, f"verified, by {seen.key}", not keys or seen.key in keys
