"""What admins say of groups."""

from django import forms

from accounts.forms import ReasonForm


class GroupForm(ReasonForm):
    name = forms.CharField(
        max_length=63,
        help_text="Such as forecasting: letters, digits, '.', '-' and '_'.",
        widget=forms.TextInput({"class": "in", "autocomplete": "off"}),
    )
    field_order = ["name", "reason"]


class MemberForm(ReasonForm):
    account = forms.CharField(
        max_length=150, label="Account", widget=forms.TextInput({"class": "in", "autocomplete": "off"})
    )
    field_order = ["account", "reason"]
