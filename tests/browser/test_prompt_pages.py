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


def test_a_prompt_is_written_in_a_browser(visit, make_prompt, scientist):
    make_prompt("ask", "Say {{what}} in one word.\nBe kind.")
    visitor = visit().sign_in("scientist")
    page = visitor.open("/prompts/new/")
    visitor.check_looks()
    page.get_by_label("Chat").check()
    assert not page.locator("#id_text").is_visible()
    page.get_by_role("button", name="Another message").click()
    page.locator("#last-turn textarea").wait_for()
    visitor.check_looks()
    page = visitor.open("/models/ask/versions/new/")
    page.fill("#id_text", "Say {{what}} in {{n}} words.\nBe kind.")
    page.locator("#difference ins").first.wait_for()  # it follows what is typed
    page.fill("#id_tags", "nonsense")
    page.get_by_role("button", name="Register v2").click()
    page.locator("#id_tags_error").wait_for()
    assert page.evaluate("document.activeElement.id") == "id_tags"
    visitor.errors.clear()  # the browser's own word on a 422
    visitor.check_looks()
    page.fill("#id_tags", "team: ops")
    page.get_by_role("button", name="Register v2").click()
    page.wait_for_url("**/models/ask/versions/2/")
