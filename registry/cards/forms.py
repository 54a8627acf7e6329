"""What a browser sends of a card."""

from __future__ import annotations

from typing import Any

from django import forms

from registry.cards.sections import LONGEST_ANSWER, SECTIONS

LARGEST = 2**31 - 1


class CardForm(forms.Form):
    """One text per section; none is required, since a draft is better than nothing."""

    from_version = forms.TypedChoiceField(
        label="Holds from version",
        coerce=int,
        widget=forms.Select({"class": "in"}),
        help_text="Older versions keep the card they have.",
        error_messages={"invalid_choice": "Choose a version that exists."},
    )
    note = forms.CharField(
        label="What changed",
        required=False,
        max_length=500,
        widget=forms.TextInput({"class": "in"}),
        help_text="For the audit trail and the list of revisions.",
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=LARGEST)

    def __init__(self, *args: Any, tier: str, starts: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tier = tier
        start: Any = self.fields["from_version"]
        start.choices = starts
        for section in SECTIONS:
            self.fields[section.key] = forms.CharField(
                label=section.title,
                required=False,
                max_length=LONGEST_ANSWER,
                strip=True,
                widget=forms.Textarea({"class": "in", "rows": 5}),
                help_text=section.question,
            )

    @property
    def texts(self) -> list[tuple[Any, bool]]:
        """Each section's field, and whether this tier asks for it."""
        return [(self[section.key], self.tier in section.tiers) for section in SECTIONS]

    def said(self) -> dict[str, str]:
        """As a card keeps it: browsers end lines with two characters, cards with one."""
        texts = {section.key: self.cleaned_data[section.key] for section in SECTIONS}
        return {key: text.replace("\r\n", "\n").strip() for key, text in texts.items()}
