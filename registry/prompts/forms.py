"""What a browser sends of a prompt, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS

from core.errors import DomainError, Invalid
from core.text import checked_text
from registry.names import LONGEST_NAME
from registry.prompts.writing import (
    CHAT,
    MOST_TURNS,
    NAME,
    NAME_RULE,
    TEXT,
    Draft,
    Turn,
    content_tags,
    tags_in,
)
from registry.services.models import LONGEST_DESCRIPTION
from registry.services.tags import LONGEST_VALUE

FIELD = {"class": "in"}
CODE = {"class": "in mono", "spellcheck": "false"}
ROLES = ("system", "user", "assistant")
# Others that a client gave are kept.
ROLE = re.compile(r"[A-Za-z0-9_-]{1,64}")
DRAFTED = ("kind", "text", "response_format", "model_config")


class WrittenText(forms.CharField):
    """Every space as it was typed; line ends as programs write them."""

    def __init__(self, label: str, rows: int, **more: Any) -> None:
        widget = forms.Textarea({**CODE, "rows": rows, "dir": "auto"})
        super().__init__(label=label, required=False, strip=False, widget=widget, **more)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")


class TurnForm(forms.Form):
    """One message of a chat; one without words is left out."""

    role = forms.ChoiceField(label="Who speaks", widget=forms.Select(FIELD))
    content = WrittenText("What they say", 4, max_length=LONGEST_VALUE)

    def __init__(self, data: Any = None, *, number: int, initial: Any = None) -> None:
        super().__init__(data, prefix=f"turn{number}", initial=initial)
        self.number = number
        known: Any = self.fields["role"]
        own = str(self["role"].value() or "")
        known.choices = [(each, each) for each in dict.fromkeys([*ROLES, own]) if ROLE.fullmatch(each)]


class WritePromptForm(forms.Form):
    """A version of a prompt; ``seen`` is what its writer has looked at beside the version before it."""

    use_required_attribute = False
    kind = forms.ChoiceField(
        label="Kind", choices=[(TEXT, "Text"), (CHAT, "Chat")], initial=TEXT, widget=forms.RadioSelect
    )
    text = WrittenText(
        "Text",
        12,
        max_length=LONGEST_VALUE,
        help_text="What is filled in later stands in double braces, as {{ flight }}.",
    )
    response_format = WrittenText(
        "Response format", 4, help_text="A JSON schema that answers have to follow."
    )
    model_config = WrittenText(
        "Model settings", 4, help_text='JSON, as {"model_name": "my-model", "temperature": 0.2}.'
    )
    message = forms.CharField(
        label="What is new in it",
        required=False,
        widget=forms.Textarea({**FIELD, "rows": 2}),
        help_text="MLflow calls it the commit message.",
    )
    tags = forms.CharField(
        label="Tags",
        required=False,
        widget=forms.Textarea({**FIELD, "rows": 2}),
        help_text="One on each line, as team: ops. They are set on the version and on the prompt.",
    )
    seen = forms.CharField(required=False, max_length=64)

    def __init__(self, data: Any = None, *, draft: Draft | None = None) -> None:
        draft = draft or Draft()
        super().__init__(data, initial={name: getattr(draft, name) for name in DRAFTED})
        if self.is_bound:
            self.turn_forms = [TurnForm(data, number=at) for at in range(_count(data))]
        else:
            begun = draft.turns or [Turn("system", ""), Turn("user", "")]
            self.turn_forms = [TurnForm(number=at, initial=vars(turn)) for at, turn in enumerate(begun)]

    @classmethod
    def with_another_turn(cls, data: Any) -> WritePromptForm:
        """What was typed so far, not judged yet, and room for one more message."""
        turns = [
            Turn(data.get(f"turn{at}-role", "user"), data.get(f"turn{at}-content", ""))
            for at in range(_count(data))
        ]
        following = "assistant" if turns[-1].role == "user" else "user"
        form = cls(draft=Draft(turns=[*turns, Turn(following, "")][:MOST_TURNS]))
        form.initial = {name: data.get(name, "") for name in form.fields}
        return form

    @property
    def may_add_turn(self) -> bool:
        return len(self.turn_forms) < MOST_TURNS

    def clean_tags(self) -> dict[str, str]:
        try:
            return tags_in(self.cleaned_data["tags"])
        except Invalid as error:
            raise forms.ValidationError(error.message) from error

    def clean_message(self) -> str:
        return _prose(self.cleaned_data["message"], "message")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("kind") == TEXT and not cleaned.get("text", "-").strip():
            self.add_error("text", "Write what the prompt says.")
        if cleaned.get("kind") == CHAT:
            self._check_turns()
        if not self.errors.keys() & {*DRAFTED, NON_FIELD_ERRORS}:
            try:
                cleaned["content"] = content_tags(self.draft)
            except Invalid as error:
                self.refuse(error)
        return cleaned

    def _check_turns(self) -> None:
        sound = [turn.is_valid() for turn in self.turn_forms]  # each says its own errors
        if not all(sound):
            self.add_error(None, "A message cannot be kept as it is.")
        elif not self.draft.turns:
            self.turn_forms[0].add_error("content", "Write at least one message.")
            self.add_error(None, "The chat has no message yet.")

    @property
    def draft(self) -> Draft:
        """What was typed, of a form whose fields are sound."""
        said = self.cleaned_data
        turns = [
            Turn(turn.cleaned_data["role"], content)
            for turn in self.turn_forms
            if turn.is_valid() and (content := turn.cleaned_data["content"]).strip()
        ]
        return Draft(**{name: said.get(name, "") for name in DRAFTED}, turns=turns)

    @property
    def content(self) -> Mapping[str, str] | None:
        """None while something in the way of reading it is wrong, whatever else is."""
        self.full_clean()
        found: Mapping[str, str] | None = self.cleaned_data.get("content")
        return found

    def refuse(self, error: DomainError) -> None:
        """What the service says of a field stands beside that field."""
        named = (error.field or "").partition(".")[0].partition("[")[0]
        self.add_error(named if named in self.fields else None, error.message)


class NewPromptForm(WritePromptForm):
    """A prompt that is to be, with its first version."""

    name = forms.CharField(
        label="Name",
        max_length=LONGEST_NAME,
        widget=forms.TextInput({**FIELD, "autocomplete": "off", "spellcheck": "false"}),
        help_text=f"{NAME_RULE[0].upper()}{NAME_RULE[1:]}; programs load it as prompts:/<name>/1.",
    )
    description = forms.CharField(
        label="What it is for",
        required=False,
        widget=forms.Textarea({**FIELD, "rows": 2}),
    )

    def clean_description(self) -> str:
        return _prose(self.cleaned_data["description"], "description")

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if not NAME.match(name):
            raise forms.ValidationError(f"A prompt's name has {NAME_RULE} alone.")
        return name


def _count(data: Any) -> int:
    """How many messages were sent; one at least, for who begins a chat."""
    sent = str(data.get("turns", ""))
    return min(max(int(sent), 1), MOST_TURNS) if re.fullmatch("[0-9]{1,3}", sent) else 1


def _prose(value: str, field: str) -> str:
    try:
        return checked_text(value.replace("\r\n", "\n"), field, LONGEST_DESCRIPTION, multiline=True)
    except Invalid as error:
        raise forms.ValidationError(error.message) from error
