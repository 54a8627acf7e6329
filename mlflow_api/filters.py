"""MLflow's filter language: comparisons joined by AND.

    filter     = comparison { AND comparison }
    comparison = identifier operator value
    identifier = name | ( tag | tags | attribute ) "." key
    operator   = "=" | "!=" | "<" | "<=" | ">" | ">=" | LIKE | ILIKE | [NOT] IN
    value      = 'text' | "text" | number | "(" 'text' { "," 'text' } ")"

Seven rules need no parser library: this is shorter than a grammar file with its tree walker, and
its errors say where. The result is data; nothing of the text ever becomes SQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.errors import Invalid

LONGEST = 20_000
MOST_COMPARISONS = 50
MOST_VALUES = 1000
TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<quoted>`[^`]+`)
    | (?P<operator><=|>=|!=|=|<|>)
    | (?P<mark>[(),.])
    | (?P<number>[+-]?\d+(?:\.\d+)?(?![\w.]))
    | (?P<word>[^\s'"`<>=!(),.;]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
WORDS_FOR_TAGS = {"tag", "tags"}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    place: int


@dataclass(frozen=True)
class Comparison:
    """``kind`` is attribute or tag; ``value`` a text, a number, or a tuple of texts after IN."""

    kind: str
    key: str
    operator: str
    value: str | int | tuple[str, ...]


def parse(text: str) -> list[Comparison]:
    """The comparisons of a filter, or Invalid saying where it goes wrong."""
    if len(text) > LONGEST:
        raise _refused(f"is longer than {LONGEST} characters")
    if "\x00" in text or any(0xD800 <= ord(each) <= 0xDFFF for each in text):
        raise _refused("holds U+0000 or a lone surrogate, which no name or tag can hold")
    tokens = _tokens(text)
    if not tokens:
        return []
    reader = _Reader(tokens, len(text))
    found = [reader.comparison()]
    while not reader.is_done():
        reader.require_and()
        found.append(reader.comparison())
        if len(found) > MOST_COMPARISONS:
            raise _refused(f"has more than {MOST_COMPARISONS} comparisons")
    return found


def _tokens(text: str) -> list[Token]:
    tokens, place, end = [], 0, len(text.rstrip())
    while place < end:
        match = TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            rest = text[place:].lstrip()
            raise _refused(f"cannot be read at character {len(text) - len(rest) + 1}: {rest[:20]!r}")
        tokens.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1))
        place = match.end()
    return tokens


class _Reader:
    def __init__(self, tokens: list[Token], length: int) -> None:
        self.tokens, self.place, self.end = tokens, 0, Token("end", "the end", length + 1)

    def is_done(self) -> bool:
        return self.place == len(self.tokens)

    def peek(self) -> Token:
        return self.end if self.is_done() else self.tokens[self.place]

    def take(self) -> Token:
        token = self.peek()
        self.place += 1
        return token

    def require_and(self) -> None:
        token = self.take()
        if token.kind != "word" or token.text.upper() != "AND":
            raise _unexpected(token, "AND; conditions are joined by AND alone")

    def comparison(self) -> Comparison:
        kind, key = self._identifier()
        operator = self._operator()
        return Comparison(kind, key, operator, self._value(operator))

    def _identifier(self) -> tuple[str, str]:
        first = self.take()
        if first.kind not in {"word", "quoted", "text"}:
            raise _unexpected(first, "the name of a field")
        if self.peek().text != ".":
            return "attribute", _bare(first)
        self.take()
        if first.text.lower() not in WORDS_FOR_TAGS | {"attribute"}:
            raise _unexpected(first, "tags, tag or attribute")
        kind = "tag" if first.text.lower() in WORDS_FOR_TAGS else "attribute"
        return kind, self._key()

    def _key(self) -> str:
        """A tag's key may hold points and dashes without quotes; spaces need backticks."""
        first = self.take()
        if first.kind in {"quoted", "text"}:
            return _bare(first)
        if first.kind not in {"word", "number"}:
            raise _unexpected(first, "a key")
        parts, last = [first.text], first
        while not self.is_done():
            token = self.peek()
            touches = token.place == last.place + len(last.text)
            if not (touches and (token.text == "." or token.kind in {"word", "number"})):
                break
            parts.append(token.text)
            last = self.take()
        return "".join(parts)

    def _operator(self) -> str:
        token = self.take()
        word = token.text.upper()
        if token.kind == "operator":
            return token.text
        if token.kind == "word" and word in {"LIKE", "ILIKE", "IN"}:
            return word
        if token.kind == "word" and word == "NOT":
            following = self.take()
            if following.text.upper() == "IN":
                return "NOT IN"
            raise _unexpected(following, "IN after NOT")
        raise _unexpected(token, "=, !=, <, <=, >, >=, LIKE, ILIKE, IN or NOT IN")

    def _value(self, operator: str) -> str | int | tuple[str, ...]:
        if operator in {"IN", "NOT IN"}:
            return self._list()
        token = self.take()
        if token.kind == "text":
            return _bare(token)
        if token.kind == "number" and "." not in token.text and len(token.text) < 20:
            return int(token.text)
        raise _unexpected(token, "a quoted text or a whole number")

    def _list(self) -> tuple[str, ...]:
        opening = self.take()
        if opening.text != "(":
            raise _unexpected(opening, "( and a list of quoted texts")
        values: list[str] = []
        while True:
            token = self.take()
            if token.kind != "text":
                raise _unexpected(token, "a quoted text")
            values.append(_bare(token))
            if len(values) > MOST_VALUES:
                raise _refused(f"has a list of more than {MOST_VALUES} values")
            token = self.take()
            if token.text == ")":
                return tuple(values)
            if token.text != ",":
                raise _unexpected(token, ", or )")


def _bare(token: Token) -> str:
    """The text without its quotes; a doubled quote stands for one."""
    if token.kind not in {"text", "quoted"}:
        return token.text
    quote = token.text[0]
    return token.text[1:-1].replace(quote * 2, quote) if quote != "`" else token.text[1:-1]


def _unexpected(token: Token, expected: str) -> Invalid:
    return _refused(f"has {token.text[:50]!r} at character {token.place} where it needs {expected}")


def _refused(why: str) -> Invalid:
    return Invalid(f"The filter {why}.", field="filter", allowed="comparisons joined by AND")
