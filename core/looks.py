"""Which names people take for each other (Unicode Technical Standard 39)."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files

from core.canonical import sha256_hex

WORDS = re.compile(r"[A-Za-z0-9]+")
NUMERAL = re.compile(r"[A-Za-z]?[0-9]+")
# ASCII characters that are drawn alike.
ASCII_PROTOTYPES = str.maketrans({"0": "O", "1": "l", "I": "l", "|": "l", "m": "rn"})
SEPARATORS = "-_. "
Case = Callable[[str], str]
# As which cases two words are compared; str leaves one as it is.
AGAINST_ANY: tuple[Case, ...] = (str.casefold, str.upper)
# A word without any ASCII letter is taken for an ASCII one from this length on: short ones are words.
SHORTEST_DISGUISE = 6
CASES: tuple[tuple[Case, Case], ...] = (
    (str.casefold, str.casefold),
    (str.upper, str.upper),
    *((str, case) for case in AGAINST_ANY),
    *((case, str) for case in AGAINST_ANY),
)


def taken_for(name: str, others: Iterable[str]) -> str:
    """The first of the others that the name could be taken for, or an empty text."""
    for other in others:
        if not pass_for_each_other(name, other):
            continue
        if is_plain(name) and is_plain(other) and name != other and is_ordinary_pair(name, other):
            continue
        return other
    return ""


def is_plain(name: str) -> bool:
    """Whether the name is ASCII without hidden spaces."""
    return name.isascii() and name == " ".join(name.split())


def is_ordinary_pair(one: str, other: str) -> bool:
    """Whether two plain names of one look differ as names do: in a number where the other has a word.

    ``model-1`` beside ``model-l``, ``churn-m1`` beside ``churn-ml``; not ``kestre1`` beside
    ``kestrel``, nor ``modem`` beside ``modern``.
    """
    words = [WORDS.findall(name) for name in (one, other)]
    if len(words[0]) != len(words[1]):
        return False
    return all(
        first == second
        or any(NUMERAL.fullmatch(a) and b.isalpha() for a, b in ((first, second), (second, first)))
        for first, second in zip(*words, strict=True)
    )


def pass_for_each_other(one: str, other: str) -> bool:
    """Whether people could take one word for the other, in whatever case of letters.

    Capitals are compared too: a 1 is drawn like an I, and a small l in a word of capitals. A letter
    outside ASCII that stands in no table (small capitals and the like) counts as drawn like any, where
    letters beside it are ASCII or two in three are drawn like ASCII ones.
    """
    if any(skeleton(first(one)) == skeleton(second(other)) for first, second in CASES):
        return True
    letters = [each for each in skeleton(one.casefold()) if not unicodedata.combining(each)]
    drawn_as_ascii = 3 * sum(map(str.isascii, letters)) >= 2 * len(letters) >= 2 * SHORTEST_DISGUISE
    is_mixed = any(each.isascii() for each in one) or drawn_as_ascii
    if one.isascii() or not is_mixed:
        return False
    return _fits(letters, skeleton(other.casefold()))


def _fits(letters: list[str], text: str) -> bool:
    """Whether the letters in order are the text, where one outside ASCII stands for one or two of any."""
    reached = {0}
    for each in letters:
        if each.isascii():
            reached = {at + 1 for at in reached if text.startswith(each, at)}
        else:
            reached = {at + step for at in reached for step in (1, 2) if at + step <= len(text)}
    return len(text) in reached


def bucket(name: str) -> str:
    """One key for all names that could be taken for this one in any case of letters, for an index.

    Coarser than an eye (``mail`` and ``mall`` share it): ask ``pass_for_each_other`` of what it finds.
    """
    return skeleton(skeleton(name).casefold()).replace("i", "l")


def look_sha256(name: str) -> str:
    """Where names are kept that could be taken for each other; hashed, since a name can be long."""
    return sha256_hex(bucket(name))


def skeleton(name: str) -> str:
    """The name with every character replaced by the plainest one drawn like it."""
    text = unicodedata.normalize("NFD", " ".join(name.split()))
    if not text.isascii():
        text = unicodedata.normalize("NFD", "".join(_prototype(each) for each in text))
    return text.translate(ASCII_PROTOTYPES)


@cache
def _prototype(character: str) -> str:
    """The smallest character drawn like this one; the table pairs characters both ways."""
    if character.isascii():
        return character
    alike = [each for each in _lookalikes().get(character, ()) if all(part < character for part in each)]
    return "".join(_prototype(part) for part in min(alike)) if alike else character


@cache
def _lookalikes() -> dict[str, list[str]]:
    table = json.loads(files("confusable_homoglyphs").joinpath("confusables.json").read_text())
    return {source: [each["c"] for each in targets] for source, targets in table.items() if len(source) == 1}


def with_one_separator(name: str, separator: str = "-") -> str:
    """``f9-ann`` and ``f9_ann`` are one name to who reads a list quickly."""
    return "".join(separator if each in SEPARATORS else each for each in name)
