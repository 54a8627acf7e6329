"""Prompts in a real browser: sound in both themes and at both widths."""

import pytest

from registry import services
from tests.registry.conftest import make_model, make_prompt  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_pages_of_prompts_are_sound(visit, make_prompt, scientist, actor):
    model = make_prompt(
        "ask",
        [{"role": "user", "content": "Say {{what}} in one word."}],
        [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Say {{what}} in {{n}} words."},
        ],
        description="Kinder",
        _mlflow_prompt_response_format='{"type": "object"}',
        _mlflow_prompt_model_config='{"model_name": "m-1"}',
        team="ops",
    )
    services.set_alias(
        actor=actor(scientist), model=model, alias="best", version=model.versions.get(number=2)
    )
    make_prompt("never-said")
    visitor = visit().sign_in("scientist")
    pages = [
        "/models/",
        "/models/ask/",
        "/models/never-said/",
        "/models/ask/versions/2/",
        "/models/never-said/compare/",
    ]
    for path in (*pages, "/models/ask/compare/?a=1&b=2"):
        visitor.open(path)
        visitor.check_looks()
