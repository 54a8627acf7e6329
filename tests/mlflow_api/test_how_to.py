"""The pages for data scientists are scripts; they run as they stand."""

import re
from pathlib import Path

import pytest

from registry.models import ModelVersion

pytestmark = pytest.mark.django_db(transaction=True)
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(
    ("page", "made"),
    [
        ("how-to/mlflow-client.md", [("explain-delay", 1), ("late-flights", 1)]),
        ("tutorial/your-first-version.md", [("first-steps", 1), ("first-steps", 2)]),
    ],
)
def test_the_script_of_the_page_runs(page, made, sign_in, scientist):
    sign_in(scientist)
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert len(blocks) >= 4
    said: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), said)
    names = ModelVersion.objects.ready().values_list("model__name", "number")
    assert sorted(names) == made


def test_the_tutorial_says_of_its_version_what_the_page_says(make_row, make_model, client_for, scientist):
    told = (DOCS / "tutorial/your-first-version.md").read_text().replace("\n", " ")
    run = {"inputs": [{"name": "my-flights", "digest": "f7e60103", "context": "training"}]}
    make_row(make_model("first-steps"), run=run, run_id="f" * 32)
    page = client_for(scientist).get("/models/first-steps/versions/1/")
    facts = [each.title for each in page.context["readiness"].facts if each.tone != "ok"]
    assert page.context["readiness"].word in told
    assert [each for each in facts if each not in told] == []
