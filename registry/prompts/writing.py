"""What somebody writes as a prompt, as the tags in which MLflow's clients keep it; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.canonical import canonical_json, sha256_hex
from core.errors import Invalid
from core.text import checked_json
from registry.models import ModelVersion
from registry.prompts.content import MACHINE_KEYS, MODEL_CONFIG, RESPONSE_FORMAT, TYPE, content_of
from registry.services.tags import IS_PROMPT, LONGEST_VALUE, PROMPT_CONTENT, PROMPT_TEXT, checked_tag

TEXT, CHAT = "text", "chat"
MOST_TAGS_WRITTEN = 20
MOST_TURNS = 50
# Of a name in ``prompts:/<name>/1``, by MLflow's rule.
NAME = re.compile(r"^[a-zA-Z0-9_.-]+\Z")
NAME_RULE = "letters of A to Z, digits, '-', '_' and '.'"
# What MLflow's own class takes for these settings: type, and the least and the largest value.
NUMBERS: dict[str, tuple[type, float | None, float | None]] = {
    "temperature": (float, 0, None),
    "max_tokens": (int, 1, None),
    "top_p": (float, 0, 1),
    "top_k": (int, 1, None),
    "frequency_penalty": (float, None, None),
    "presence_penalty": (float, None, None),
}
WORDS = ("provider", "model_name")


@dataclass(frozen=True)
class Turn:
    """One message as it was typed."""

    role: str
    content: str


@dataclass(frozen=True)
class Draft:
    """What a form can hold of a prompt; ``turns`` of a chat, ``text`` otherwise."""

    kind: str = TEXT
    text: str = ""
    turns: Sequence[Turn] = ()
    response_format: str = ""
    model_config: str = ""


def draft_of(version: ModelVersion) -> Draft | None:
    """A version to write on from; None where its messages hold more than words, or are too many for a form."""
    tags = {tag.key: tag.value for tag in version.tags.all()}
    raw, said = tags.get(PROMPT_TEXT, ""), content_of(tags)
    formats = said.response_format, _indented(tags.get(MODEL_CONFIG, ""))
    if tags.get(TYPE) != CHAT:
        return Draft(TEXT, raw, (), *formats)
    turns = _turns(raw)
    if turns is None or len(turns) > MOST_TURNS:
        return None
    return Draft(CHAT, "", turns, *formats)


def content_tags(draft: Draft) -> dict[str, str]:
    """Letter for letter what ``mlflow.genai.register_prompt`` sends for the same content."""
    is_chat = draft.kind == CHAT
    turns = [{"role": turn.role, "content": turn.content} for turn in draft.turns]
    tags = {
        IS_PROMPT: "true",
        TYPE: CHAT if is_chat else TEXT,
        PROMPT_TEXT: _fitting(json.dumps(turns), "turns") if is_chat else _fitting(draft.text, "text"),
    }
    if response_format := _table(draft.response_format, "response_format"):
        tags[RESPONSE_FORMAT] = _fitting(json.dumps(response_format), "response_format")
    if model_config := _table(draft.model_config, "model_config"):
        tags[MODEL_CONFIG] = _fitting(json.dumps(_checked_config(model_config)), "model_config")
    return tags


def look_of(content: Mapping[str, str], before: ModelVersion | None) -> str:
    """One key for what was looked at: this content, against that version."""
    known = {key: content[key] for key in PROMPT_CONTENT if key in content}
    return sha256_hex(canonical_json({"content": known, "before": str(before.pk) if before else ""}))


def says_the_same(content: Mapping[str, str], version: ModelVersion) -> bool:
    tags = {tag.key: tag.value for tag in version.tags.all()}
    return all(content.get(key) == tags.get(key) for key in PROMPT_CONTENT)


def tags_in(text: str) -> dict[str, str]:
    """``team: ops``, one on each line; what is wrong is said with its line."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not key:
            raise _refused(f"Line {number} is no tag: write its key, a colon and its value, as team: ops.")
        if kept := next((each for each in MACHINE_KEYS if key.startswith(each)), ""):
            raise _refused(f"Line {number}: keys that begin with {kept} are kept for programs.")
        if key in found:
            raise _refused(f"Line {number} names {key[:60]} a second time.")
        try:
            found |= [checked_tag(key, value)]
        except Invalid as error:
            raise _refused(f"Line {number}: {error.message}") from error
    if len(found) > MOST_TAGS_WRITTEN:
        raise _refused(f"{len(found)} tags; at most {MOST_TAGS_WRITTEN} are written here.")
    return found


def _refused(words: str) -> Invalid:
    return Invalid(words, field="tags", allowed="one on each line, as team: ops")


def _turns(raw: str) -> list[Turn] | None:
    try:
        read = json.loads(raw)
        plain = [(each["role"], each["content"]) for each in read if set(each) == {"role", "content"}]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if len(plain) != len(read) or not all(isinstance(part, str) for pair in plain for part in pair):
        return None
    return [Turn(role, content) for role, content in plain]


def _fitting(text: str, field: str) -> str:
    if len(text) > LONGEST_VALUE:
        words = f"It is {len(text):,} characters long as it is kept; at most {LONGEST_VALUE:,} are."
        raise Invalid(words, field=field, allowed=f"at most {LONGEST_VALUE} characters")
    return text


def _table(text: str, field: str) -> dict[str, Any]:
    """Of a field that may be empty."""
    if not text.strip():
        return {}
    try:
        read = checked_json(json.loads(text), field)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Invalid(f"This is not JSON{where}.", field=field, allowed="a JSON object") from error
    if not isinstance(read, dict):
        raise Invalid(
            'This is JSON, but no object such as {"type": "object"}.', field=field, allowed="a JSON object"
        )
    return read


def _checked_config(config: dict[str, Any]) -> dict[str, Any]:
    """By the rules of MLflow's own class, so that what is written here can be read and written there."""
    for name, (kind, least, most) in NUMBERS.items():
        value = config.get(name)
        is_number = isinstance(value, int | kind) and not isinstance(value, bool)
        if value is None:
            continue
        if not is_number or (least is not None and value < least) or (most is not None and value > most):
            bounds = (
                f" from {least} to {most}"
                if most is not None
                else f" of at least {least}"
                if least is not None
                else ""
            )
            word = "whole number" if kind is int else "number"
            raise Invalid(
                f"{name} must be a {word}{bounds}.", field="model_config", allowed=f"a {word}{bounds}"
            )
    for name in WORDS:
        if not isinstance(config.get(name, ""), str):
            raise Invalid(f"{name} must be text.", field="model_config", allowed="text")
    stops = config.get("stop_sequences", [])
    if not isinstance(stops, list) or not all(isinstance(each, str) for each in stops):
        raise Invalid(
            "stop_sequences must be a list of texts.", field="model_config", allowed="a list of texts"
        )
    return config


def _indented(raw: str) -> str:
    try:
        return json.dumps(json.loads(raw), indent=2, ensure_ascii=False) if raw else ""
    except (ValueError, RecursionError):
        return raw
