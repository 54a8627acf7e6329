"""Pages of the documentation lead to pages that are there, and name commands that are there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?://)([^)#\s]+)(?:#[^)]*)?\)")
MAKE = re.compile(r"(?<![\w-])make ([a-z]+)\b(?=`|\s+[A-Z_]+=|\s{2,}|$)", re.MULTILINE)
COMMAND = re.compile(r"manage\.py ([a-z_]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere_and_every_command_exists(page):
    text = page.read_text()
    missing = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    assert not missing, missing
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(MAKE.findall(text)) <= targets
    assert set(COMMAND.findall(text)) <= set(get_commands())


@pytest.mark.parametrize("words", [["tools/verify_ledger.py", "--help"]])
def test_what_auditors_are_told_to_run_runs_with_nothing_but_python(words):
    done = subprocess.run(
        [sys.executable, "-I", "-S", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "--pinned" in done.stdout) == (0, True)
