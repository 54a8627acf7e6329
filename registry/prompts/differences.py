"""Two texts against each other: lines that came and went, and in changed lines the words; pure.

Comparing takes time that grows with the square of what has changed, so its size is bounded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from registry.prompts.content import Prompt

MOST_LINES = 1500
# Up to here the whole text is shown, above it only what is near a change.
WHOLE, NEAR = 120, 3
# Words of one line, and of all lines of a comparison.
MOST_WORDS, WORDS_IN_ALL = 1000, 10_000
# Lines that went times lines that came in one place, above which none are put side by side.
MOST_PAIRS = 2500
# Lines that share less are two lines and not one line that changed.
ALIKE = 0.4
WORD = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
LOOKS = {"+": "add", "-": "del", "@": "hunk"}
NAMES = {"+": "added", "-": "removed"}

Words = list[tuple[str, bool]]


@dataclass(frozen=True)
class TextLine:
    """``sign`` is +, - or a space; ``@`` stands where unchanged lines are left out."""

    sign: str
    words: Words
    is_role: bool = False

    @property
    def look(self) -> str:
        return LOOKS.get(self.sign, "")

    @property
    def name(self) -> str:
        return NAMES.get(self.sign, "")

    @property
    def text(self) -> str:
        return "".join(word for word, _ in self.words)


@dataclass(frozen=True)
class TextDifference:
    """Every line to show; ``is_cut`` when the texts went on after what was compared."""

    lines: list[TextLine]
    is_cut: bool = False

    @property
    def added(self) -> int:
        return sum(line.sign == "+" for line in self.lines)

    @property
    def removed(self) -> int:
        return sum(line.sign == "-" for line in self.lines)

    @property
    def is_same(self) -> bool:
        return not (self.added or self.removed)


Line = tuple[str, bool]


def text_difference(a: Prompt, b: Prompt) -> TextDifference:
    """Who speaks is a line of its own, so a chat is compared like a text."""
    return _difference(_lines(a), _lines(b))


def plain_difference(a: str, b: str) -> TextDifference:
    return _difference(*([(line, False) for line in text.splitlines()] for text in (a, b)))


def _lines(prompt: Prompt) -> list[Line]:
    found: list[Line] = []
    for message in prompt.messages:
        found += [(message.role, True)] if message.role else []
        found += [(line, False) for line in message.text.splitlines()]
    return found


def _difference(a: list[Line], b: list[Line]) -> TextDifference:
    is_cut = max(len(a), len(b)) > MOST_LINES
    a, b = a[:MOST_LINES], b[:MOST_LINES]
    near = max(len(a), len(b)) if max(len(a), len(b)) <= WHOLE else NEAR
    shown: list[TextLine] = []
    words_left = WORDS_IN_ALL
    groups = list(SequenceMatcher(None, a, b).get_grouped_opcodes(near))
    if not groups:
        return TextDifference([TextLine(" ", [(text, False)], is_role) for text, is_role in b], is_cut)
    for number, group in enumerate(groups):
        shown += [TextLine("@", [])] if number or group[0][1] else []
        for kind, a_from, a_to, b_from, b_to in group:
            if kind == "equal":
                shown += [TextLine(" ", [(text, False)], is_role) for text, is_role in b[b_from:b_to]]
                continue
            changed, used = _changed(a[a_from:a_to], b[b_from:b_to], words_left)
            words_left -= used
            shown += changed
    return TextDifference(shown, is_cut)


def _changed(a: Sequence[Line], b: Sequence[Line], words_left: int) -> tuple[list[TextLine], int]:
    """Lines that went and came in their order, those that belong together one below the other."""
    shown: list[TextLine] = []
    used = gone = come = 0
    words_a, words_b = _words_of(a), _words_of(b)
    for before, after in [*_pairs(words_a, words_b), (len(a), len(b))]:
        shown += [TextLine("-", [(text, False)], is_role) for text, is_role in a[gone:before]]
        shown += [TextLine("+", [(text, False)], is_role) for text, is_role in b[come:after]]
        if before == len(a):
            break
        pair = words_a[before], words_b[after]
        count = sum(map(len, pair))
        is_small = max(map(len, pair)) <= MOST_WORDS and used + count <= words_left
        old, new = _by_words(*pair) if is_small else ([(a[before][0], False)], [(b[after][0], False)])
        used += count if is_small else 0
        shown += [TextLine("-", old), TextLine("+", new)]
        gone, come = before + 1, after + 1
    return shown, used


def _words_of(lines: Sequence[Line]) -> list[list[str]]:
    """Who speaks is no sentence that changes word by word."""
    return [[] if is_role else WORD.findall(text) for text, is_role in lines]


def _pairs(a: list[list[str]], b: list[list[str]]) -> list[tuple[int, int]]:
    """Which lines became which: the most alike first, the rest before and after it."""
    if len(a) * len(b) > MOST_PAIRS:
        return []
    bags_a, bags_b = ([Counter(word.strip() for word in words) for words in lines] for lines in (a, b))
    alike = {(i, j): _alike(bags_a[i], bags_b[j]) for i in range(len(a)) for j in range(len(b))}
    found: list[tuple[int, int]] = []
    for _, i, j in sorted(((-score, i, j) for (i, j), score in alike.items() if score >= ALIKE)):
        if all((i < x and j < y) or (i > x and j > y) for x, y in found):
            found.append((i, j))
    return sorted(found)


def _alike(a: Counter[str], b: Counter[str]) -> float:
    """The share of words that both have, 0 to 1."""
    both = a.total() + b.total()
    return 2 * (a & b).total() / both if both else 0.0


def _by_words(a: list[str], b: list[str]) -> tuple[Words, Words]:
    """Each word of both and whether it changed."""
    steps = SequenceMatcher(None, a, b).get_opcodes()
    before = _joined((a[i:j], kind != "equal") for kind, i, j, _, _ in steps)
    after = _joined((b[i:j], kind != "equal") for kind, _, _, i, j in steps)
    return before, after


def _joined(parts: Iterable[tuple[list[str], bool]]) -> Words:
    return [("".join(words), is_changed) for words, is_changed in parts if words]
