"""What people write is shown at about the length they wrote it."""

import pytest

from core.markdown import plain, rendered

WIDE = "|" + "a|" * 3000 + "\n|" + "-|" * 3000 + "\n" + "|\n" * 4000
NAMED = "[a]: http://example.org/" + "x" * 9000 + "\n\n" + "[a]" * 3100


@pytest.mark.parametrize("text", [WIDE, NAMED, ">" * 19_000, "- " * 9000, "*a_ " * 5000], ids=str.__len__)
def test_no_text_becomes_many_times_as_long(text):
    assert len(rendered(text)) < 2 * len(text)
    assert len(plain(text)) < 2 * len(text)


def test_tables_and_links_are_shown():
    shown = rendered(
        "| group | rate |\n| --- | --- |\n| AA | 0.2 |\n| UA |\n\n[why](https://example.org/why)"
    )
    assert shown.count("<td>") == 4
    assert '<a href="https://example.org/why"' in shown
