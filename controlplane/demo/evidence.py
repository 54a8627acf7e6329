"""The auditor's part: the evidence bundle, verified by a program that needs nothing of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from django.conf import settings

from controlplane.demo.cast import Cast
from controlplane.demo.doors import DoorError


def export_and_verify(cast: Cast) -> None:
    with cast.display.step("The auditor exports the evidence of everything that happened") as step:
        asked = cast.auditor.post("audit/exports", {"format": "bundle", "title": "The year 2013"}, 202)
        done = cast.auditor.wait(
            f"audit/exports/{asked['id']}", lambda each: each["status"] in {"ready", "failed"}, timeout=180
        )
        if done["status"] != "ready":
            raise DoorError(f"The export failed: {done['failure']}")
        cast.bundle.parent.mkdir(parents=True, exist_ok=True)
        cast.bundle.write_bytes(cast.auditor.download(f"audit/exports/{asked['id']}/file"))
        step.say(f"{done['events']:,} events, {done['size'] / 1e6:.1f} MB")
    with cast.display.step("Verify the bundle offline, with Python alone") as step:
        verifier = settings.BASE_DIR / "tools" / "verify_ledger.py"
        checked = subprocess.run(
            [sys.executable, "-I", "-S", str(verifier), str(cast.bundle), "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        if checked.returncode:
            raise DoorError(f"The bundle is not intact: {checked.stdout[:600]}{checked.stderr[:300]}")
        step.say(_verdict(json.loads(checked.stdout)))


def _verdict(answer: dict[str, Any]) -> str:
    return (
        f"{answer['result']}: {answer['events']:,} events; {answer['clearances_judged']} clearances have "
        f"the approvals their policy asks for"
    )
