"""Markdown that people write, as HTML that is safe to show."""

from __future__ import annotations

from html import unescape

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

TAGS = {
    "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a",
    "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}


def _lower_headings(state: StateCore) -> None:
    """A text stands below headings of the page: whatever level it starts with becomes the third."""
    headings = [token for token in state.tokens if token.type in {"heading_open", "heading_close"}]
    shift = 3 - min((int(token.tag[1]) for token in headings), default=3)
    for token in headings:
        token.tag = f"h{min(6, int(token.tag[1]) + shift)}"


_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
_parser.core.ruler.push("lower_headings", _lower_headings)


def plain(text: str) -> str:
    """The words alone, on one line, for lists; a template escapes them like any text."""
    return " ".join(unescape(nh3.clean(_parser.render(text), tags=set())).split())


def rendered(text: str) -> SafeString:
    """HTML of a few harmless tags; raw HTML is shown as text, pictures and scripts do not exist."""
    html = nh3.clean(_parser.render(text), tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES)
    return mark_safe(html)  # noqa: S308 - nh3 has left only the tags above
