"""What people send about requests."""

from django import forms

DECISIONS = [("approve", "Approve"), ("request_changes", "Request changes"), ("reject", "Reject")]


class PromotionForm(forms.Form):
    why = forms.CharField(
        label="Why this release",
        min_length=10,
        max_length=5000,
        widget=forms.Textarea({"class": "in", "rows": 4}),
        help_text="What it improves and for whom; reviewers read it first.",
    )
    known_limits = forms.CharField(
        label="Known limits",
        required=False,
        max_length=5000,
        widget=forms.Textarea({"class": "in", "rows": 3}),
        help_text="Where it is weak, and what nobody should use it for.",
    )


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(choices=DECISIONS)
    reason = forms.CharField(min_length=3, max_length=5000)
    meaning = forms.CharField(required=False, max_length=200)
    revision = forms.IntegerField(min_value=1, max_value=2**31 - 1)
    password = forms.CharField(strip=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(min_length=3, max_length=2000)
