"""What a browser sends about keys, checked."""

from django import forms

FIELD = {"class": "in"}


class KeyForm(forms.Form):
    """A key to be trusted."""

    name = forms.CharField(label="Name", max_length=100, widget=forms.TextInput(FIELD))
    public_key = forms.CharField(
        label="Public key",
        max_length=2000,
        widget=forms.Textarea({"class": "in mono", "rows": 6}),
        help_text="PEM, on the curve P-256: what follows BEGIN PUBLIC KEY.",
    )
    reason = forms.CharField(label="Reason", max_length=1000, widget=forms.TextInput(FIELD))


class RetireForm(forms.Form):
    """Why a key is no longer trusted."""

    reason = forms.CharField(label="Reason", max_length=1000, widget=forms.TextInput(FIELD))
