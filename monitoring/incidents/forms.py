"""What a browser sends about incidents, checked."""

from __future__ import annotations

from typing import Any

from django import forms

from deployments.forms import RollbackForm

FIELD = {"class": "in"}
LONGEST = 10_000


class IncidentFilterForm(forms.Form):
    """Narrowing the list; a GET form, so every view of it has an address."""

    model = forms.CharField(label="Model", required=False, max_length=256, widget=forms.TextInput(FIELD))
    show = forms.ChoiceField(
        label="Show",
        required=False,
        choices=[("", "Open"), ("all", "All"), ("resolved", "Resolved")],
        widget=forms.Select(FIELD),
    )


class CommentForm(forms.Form):
    """A line for the timeline."""

    text = forms.CharField(
        label="Comment", max_length=LONGEST, widget=forms.Textarea({"class": "in", "rows": 2})
    )


class ResolveForm(forms.Form):
    """How an incident ended."""

    resolution = forms.CharField(
        label="How it was resolved",
        max_length=LONGEST,
        widget=forms.Textarea({"class": "in", "rows": 3}),
        help_text="Goes into the timeline and the audit trail.",
    )


class IncidentRollbackForm(RollbackForm):
    """Which proven version to go back to, why, and a signature."""

    target = forms.UUIDField(widget=forms.HiddenInput)


class PostMortemForm(forms.Form):
    """What was learnt. ``seen`` is the revision the writer read."""

    summary = forms.CharField(
        label="What happened", max_length=LONGEST, widget=forms.Textarea({"class": "in", "rows": 3})
    )
    impact = forms.CharField(
        label="Impact", max_length=LONGEST, widget=forms.Textarea({"class": "in", "rows": 3})
    )
    cause = forms.CharField(
        label="Cause",
        max_length=LONGEST,
        widget=forms.Textarea({"class": "in", "rows": 4}),
        help_text="What the evidence supports; name suspects that were cleared, too.",
    )
    what_we_changed = forms.CharField(
        label="What we changed",
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea({"class": "in", "rows": 3}),
    )
    follow_ups = forms.CharField(
        label="Follow-ups",
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea({"class": "in", "rows": 3}),
    )
    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def words(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}
