"""What a browser sends about tags, checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django import forms

from core.canonical import sha256_hex
from registry.models import ModelTag, VersionTag
from registry.services.tags import LONGEST_KEY, LONGEST_VALUE

FIELD = {"class": "in"}
SHOWN = 60


class TagForm(forms.Form):
    """A key and its value; ``seen`` is the value that whoever replaces it knows of, hashed."""

    key = forms.CharField(
        label="Key", max_length=LONGEST_KEY, widget=forms.TextInput({**FIELD, "autocomplete": "off"})
    )
    value = forms.CharField(
        label="Value",
        required=False,
        max_length=LONGEST_VALUE,
        widget=forms.Textarea({**FIELD, "rows": 2}),
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    replaces = False

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="tag_%s")

    def clean_value(self) -> str:
        """Browsers send line ends of their own."""
        return str(self.cleaned_data["value"]).replace("\r\n", "\n")

    def ask_again(self, value: str) -> None:
        """The key has another value: say which, and let the next answer replace that one."""
        said = self.data.copy()
        said["seen"] = sha256_hex(value)
        self.data, self.replaces = said, True
        shown = value if len(value) <= SHOWN else f"{value[:SHOWN]}…"
        self.add_error("key", f"{self.cleaned_data['key']} says “{shown}” now. Set it again to replace that.")


class RemoveTagForm(forms.Form):
    """Which tag goes."""

    key = forms.ChoiceField(
        label="Tag to remove",
        widget=forms.Select(FIELD),
        error_messages={"invalid_choice": "There is no such tag any more. Choose again."},
    )

    def __init__(self, data: Any = None, *, tags: Iterable[ModelTag | VersionTag] = ()) -> None:
        super().__init__(data, auto_id="untag_%s")
        self.known = {each.key: each for each in tags}
        shown = [(key, key if len(key) <= SHOWN else f"{key[:SHOWN]}…") for key in self.known]
        cast(forms.ChoiceField, self.fields["key"]).choices = [("", "Choose"), *shown]

    def chosen(self) -> ModelTag | VersionTag:
        return self.known[self.cleaned_data["key"]]
