"""What a version of a prompt says: its messages, its variables and what goes with them.

MLflow's clients keep all of it in tags of the version; here it is read and never written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import Exists, OuterRef

from core.text import with_unseen_shown
from registry.models import ModelTag, ModelVersion, RegisteredModel
from registry.models.pointers import Tag
from registry.services.tags import IS_PROMPT, PROMPT_TEXT

TYPE, RESPONSE_FORMAT, MODEL_CONFIG = (
    "_mlflow_prompt_type",
    "_mlflow_prompt_response_format",
    "_mlflow_prompt_model_config",
)
# What format() fills in, by MLflow's rule for names.
VARIABLE = re.compile(r"\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*(?:\.[a-zA-Z_][a-zA-Z0-9_]*)*)\s*\}\}")
MACHINE_KEYS = ("mlflow.", "_mlflow_", "controlplane.")
BEGINNING = 160


@dataclass(frozen=True)
class Message:
    """One turn of a chat; a text prompt is one message that nobody speaks."""

    role: str
    text: str

    @property
    def pieces(self) -> list[tuple[str, bool]]:
        """The text in order, and of each piece whether it is a variable."""
        found, done = [], 0
        for match in VARIABLE.finditer(self.text):
            found += [(self.text[done : match.start()], False), (match[1], True)]
            done = match.end()
        return [(text, is_variable) for text, is_variable in [*found, (self.text[done:], False)] if text]


@dataclass(frozen=True)
class Prompt:
    """The content of one version; ``raw`` is what was registered, to the letter."""

    raw: str
    messages: list[Message]
    is_chat: bool = False
    response_format: str = ""
    settings: list[tuple[str, str]] = field(default_factory=list)

    @cached_property
    def variables(self) -> list[str]:
        """Each name once, in the order in which the text asks for it."""
        return list(dict.fromkeys(VARIABLE.findall("\n".join(message.text for message in self.messages))))

    @property
    def holds_unseen(self) -> bool:
        """Whether a code point stands for something no eye sees."""
        return any("\u27e8U+" in message.text for message in self.messages)

    @property
    def is_jinja(self) -> bool:
        """Filled in by Jinja2, whose blocks may ask for names that stand in no double braces."""
        return any("{%" in message.text and "%}" in message.text for message in self.messages)

    @property
    def beginning(self) -> str:
        """The first words, on one line."""
        said = "  ".join(
            f"{message.role}: {message.text}" if message.role else message.text for message in self.messages
        )
        words = " ".join(said[: 4 * BEGINNING].split())
        return words if len(words) <= BEGINNING else f"{words[:BEGINNING].rstrip()}…"


def is_prompt(model: RegisteredModel) -> bool:
    """Of a model whose tags are at hand."""
    return any(tag.key == IS_PROMPT and tag.value == "true" for tag in model.tags.all())


def among_prompts() -> Exists:
    """The same as a condition on rows of registered models."""
    return Exists(ModelTag.objects.filter(model=OuterRef("pk"), key=IS_PROMPT, value="true"))


def prompt_of(version: ModelVersion) -> Prompt:
    return content_of({tag.key: tag.value for tag in version.tags.all()})


def content_of(tags: Mapping[str, str]) -> Prompt:
    """Of the tags that a version has, or that one would have."""
    raw = tags.get(PROMPT_TEXT, "")
    chat = _messages(raw) if tags.get(TYPE) == "chat" else None
    messages = [
        Message(with_unseen_shown(each.role), with_unseen_shown(each.text))
        for each in chat or [Message("", raw)]
    ]
    return Prompt(
        raw,
        messages,
        is_chat=bool(chat),
        response_format=_indented(tags.get(RESPONSE_FORMAT, "")),
        settings=_settings(tags.get(MODEL_CONFIG, "")),
    )


def tags_of_people(tags: Iterable[Tag]) -> list[Tag]:
    """Those that somebody chose; what programs keep for themselves is shown as what it means."""
    return sorted((tag for tag in tags if not tag.key.startswith(MACHINE_KEYS)), key=lambda tag: tag.key)


def _messages(raw: str) -> list[Message] | None:
    """None where it is no list of messages, so that it is shown as it stands."""
    read = _read(raw)
    if not isinstance(read, list) or not all(isinstance(each, Mapping) for each in read):
        return None
    return [Message(str(each.get("role") or "message"), _content(each)) for each in read]


def _content(message: Mapping[str, Any]) -> str:
    """Text as text, in one string or in parts; pictures, calls of tools and the like as JSON."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    said = [part["text"] if _is_text(part) else part for part in parts if part is not None]
    rest = {key: value for key, value in message.items() if key not in {"role", "content"} and value}
    said += [rest] if rest else []
    return "\n".join(each if isinstance(each, str) else _dumped(each) for each in said)


def _is_text(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _settings(raw: str) -> list[tuple[str, str]]:
    read = _read(raw)
    if not isinstance(read, Mapping):
        return [("settings", raw)] if raw else []
    return [(str(key), _setting(value)) for key, value in read.items()]


def _setting(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return value if isinstance(value, str) else _dumped(value)


def _indented(raw: str) -> str:
    read = _read(raw)
    return raw if read is None else json.dumps(read, indent=2, ensure_ascii=False)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _read(raw: str) -> Any:
    """None where it is no JSON, also where it is nested too deep, or holds what no page can (lone surrogates)."""
    try:
        read = json.loads(raw)
        _dumped(read).encode()
        return read
    except (ValueError, RecursionError):
        return None
