"""The commands of docs/how-to/command-line.md, run as they stand there."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from cplane.codes import MEANINGS

from approvals.models import PromotionRequest
from tests.pipelines.conftest import CONTRACT, parquet, table

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/command-line.md"
# There are no held-out data, so a gate fails.
ENDS_WITH = {"request open": 3, "request watch": 3}


def commands():
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[0] == "cplane" and words[1] != "--install-completion":
                yield words[1:]


def test_the_page_can_be_followed(cplane, installation, secret_of, scientist, folder, tmp_path, monkeypatch):
    work = tmp_path / "work"
    work.mkdir()
    folder.rename(work / "model")
    (work / "flights-2013-01.parquet").write_bytes(parquet(table()))
    (work / "contract.yaml").write_text(yaml.safe_dump(CONTRACT))
    monkeypatch.chdir(work)
    ran = []
    for words in commands():
        stdin = ""
        if words[0] == "login":
            words, stdin = ["login", installation.url, "--token-stdin"], secret_of(scientist) + "\n"
        if words[:2] == ["request", "watch"]:
            words = ["request", "watch", str(PromotionRequest.objects.get().pk), "--timeout", "0"]
        done = cplane(*words, stdin=stdin)
        assert done.code == ENDS_WITH.get(" ".join(words[:2]), 0), (words, done)
        ran.append(" ".join(words[:2]))
    assert len(ran) >= 15
    assert (work / "downloaded" / "MLmodel").exists()


def test_the_page_names_every_exit_code():
    for code, words in MEANINGS.items():
        assert f"| {code} | {words} |" in PAGE.read_text()
