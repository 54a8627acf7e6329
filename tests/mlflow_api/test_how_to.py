"""The page for data scientists is a script; it runs as it stands."""

import re
from pathlib import Path

import pytest

from registry.models import ModelVersion

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "mlflow-client.md"


def test_the_script_of_the_page_runs(sign_in, scientist):
    sign_in(scientist)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) >= 4
    said: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), said)
    names = ModelVersion.objects.ready().values_list("model__name", "number")
    assert sorted(names) == [("explain-delay", 1), ("late-flights", 1)]
