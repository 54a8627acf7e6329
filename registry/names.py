"""Names of registered models and aliases: what may be one, and which look the same."""

import json
import re
import unicodedata
from functools import cache
from importlib.resources import files

from core.canonical import sha256_hex
from core.errors import Invalid
from core.text import checked_text

LONGEST_NAME = 256
LONGEST_ALIAS = 255
ALIAS = re.compile(r"^[\w-]*\Z")
WORDS = re.compile(r"[A-Za-z0-9]+")
NUMERAL = re.compile(r"[A-Za-z]?[0-9]+")
# Everybody's word for the version of the highest number.
NEWEST = "latest"
LOOKS_LIKE_A_NUMBER = re.compile(r"^[vV]\d+\Z")
ALIAS_RULE = "1 to 255 letters, digits, '_' and '-'; not 'latest', not 'v' and a number"
# ASCII characters that are drawn alike (Unicode Technical Standard 39).
ASCII_PROTOTYPES = str.maketrans({"0": "O", "1": "l", "I": "l", "|": "l", "m": "rn"})


def checked_name(value: object, field: str = "name") -> str:
    """A registered model's name in NFKC, or Invalid with the rule it breaks."""
    name = checked_text(value, field, LONGEST_NAME, min_length=1, normalise="NFKC")
    if "/" in name or ":" in name:
        raise Invalid(
            f"{field} must not contain '/' or ':'.", field=field, allowed="any text without '/' and ':'"
        )
    if name.strip() in {".", ".."}:
        raise Invalid(f"{field} must not be '.' or '..'.", field=field, allowed="any text but '.' and '..'")
    return name


def normal_name(value: str) -> str:
    """The form in which a name is looked up; text that can be no name finds nothing."""
    return unicodedata.normalize("NFKC", value)


def is_storable(text: str) -> bool:
    """Whether PostgreSQL could hold the text at all; addresses and searches may hold anything."""
    return "\x00" not in text and not any(0xD800 <= ord(character) <= 0xDFFF for character in text)


def checked_alias(value: object, field: str = "alias") -> str:
    """An alias name, or Invalid."""
    alias = checked_text(value, field, LONGEST_ALIAS, min_length=1)
    if alias != normal_name(alias):
        raise Invalid(
            f"{alias!r} cannot be an alias: it has letters of another width or style.",
            field=field,
            allowed=normal_name(alias),
        )
    if not ALIAS.match(alias) or alias.lower() == NEWEST or LOOKS_LIKE_A_NUMBER.match(alias):
        raise Invalid(
            f"{alias!r} cannot be an alias; it must be {ALIAS_RULE}.", field=field, allowed=ALIAS_RULE
        )
    return alias


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

    Capitals are compared too: a 1 is drawn like an I. A letter outside ASCII among ASCII ones
    counts as drawn like any: small capitals and the like stand in no table.
    """
    if any(skeleton(as_case(one)) == skeleton(as_case(other)) for as_case in (str.casefold, str.upper)):
        return True
    if one.isascii() or not any(letter.isascii() for letter in one):
        return False
    pattern = "".join(re.escape(letter) if letter.isascii() else "." for letter in one)
    return re.fullmatch(pattern, other, re.IGNORECASE) is not None


def look_sha256(name: str) -> str:
    """Names with one look cannot be told apart by eye; hashed, since a look can be long."""
    return sha256_hex(skeleton(name))


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
