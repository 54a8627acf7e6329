"""Markdown that people write, as HTML that is safe to show."""

from __future__ import annotations

from html import unescape
from itertools import takewhile

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore

TAGS = {
    "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a",
    "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
MOST_CELLS = 5000
SCHEMES = {"http", "https", "mailto"}


def _lower_headings(state: StateCore) -> None:
    """A text stands below headings of the page: whatever level it starts with becomes the third."""
    headings = [token for token in state.tokens if token.type in {"heading_open", "heading_close"}]
    shift = 3 - min((int(token.tag[1]) for token in headings), default=3)
    for token in headings:
        token.tag = f"h{min(6, int(token.tag[1]) + shift)}"


def _small_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table whose cells, with those left out of short rows, are not many times the text."""
    lines = takewhile(lambda line: not state.isEmpty(line), range(start, end))
    columns = state.getLines(start, start + 1, 0, False).count("|") + 1
    return columns * sum(1 for _ in lines) <= MOST_CELLS and table(state, start, end, silent)


# Without reference definitions: one long address, named again and again, makes megabytes of a page.
_parser = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["table", "strikethrough"])
    .disable(["image", "reference"])
)
_parser.block.ruler.at("table", _small_table, {"alt": ["paragraph", "reference"]})
_parser.core.ruler.push("lower_headings", _lower_headings)


def plain(text: str) -> str:
    """The words alone, on one line, for lists; a template escapes them like any text."""
    return " ".join(unescape(nh3.clean(_parser.render(text), tags=set())).split())


def rendered(text: str) -> SafeString:
    """HTML of a few harmless tags; raw HTML is shown as text, pictures and scripts do not exist."""
    html = nh3.clean(_parser.render(text), tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES)
    return mark_safe(html)  # noqa: S308 - nh3 has left only the tags above
