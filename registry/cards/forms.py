"""What a browser sends of a card."""

from __future__ import annotations

from typing import Any

from django import forms

from registry.cards.sections import LONGEST_ANSWER, SECTIONS

LARGEST = 2**31 - 1


class CardForm(forms.Form):
    """One text per section; none is required, since a draft is better than nothing."""

    from_version = forms.IntegerField(
        label="Holds from version",
        min_value=1,
        max_value=LARGEST,
        widget=forms.NumberInput({"class": "in"}),
        help_text="Older versions keep the card they have.",
    )
    note = forms.CharField(
        label="What changed",
        required=False,
        max_length=500,
        widget=forms.TextInput({"class": "in"}),
        help_text="For the audit trail and the list of revisions.",
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=LARGEST)

    def __init__(self, *args: Any, tier: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tier = tier
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
        return {section.key: self.cleaned_data[section.key] for section in SECTIONS}
