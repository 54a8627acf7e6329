"""What people send about themselves."""

from zoneinfo import available_timezones

from django import forms

from accounts.roles import PHRASES, ROLES
from core.actors import EVERY_SCOPE, RIGHTS

SCOPE_WORDS = {
    "all": "Every right you have",
    "view": "Read models, data sets, requests",
    "create": "Create models and data sets",
    "register": "Register versions",
    "propose": "Request promotions",
    "predict": "Send predictions to endpoints",
    "deploy": "Deploy where no approval is needed",
    "export": "Export data and audit trails",
    "audit": "Read the audit trail",
    "administer": "Administer",
}


class TokenForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        help_text="Where it will be used, such as notebook.",
        widget=forms.TextInput({"class": "in", "autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        choices=[
            (scope, words) for scope, words in SCOPE_WORDS.items() if scope == EVERY_SCOPE or scope in RIGHTS
        ],
        widget=forms.CheckboxSelectMultiple,
        label="May",
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=366,
        initial=90,
        label="Days until it expires",
        widget=forms.NumberInput({"class": "in"}),
    )


class ProfileForm(forms.Form):
    time_zone = forms.ChoiceField(
        choices=[(name, name) for name in sorted(available_timezones()) if "/" in name or name == "UTC"],
        widget=forms.Select({"class": "in"}),
        help_text="Times on pages; the audit trail and exports are always UTC.",
    )
    theme = forms.ChoiceField(
        choices=[("", "As this device"), ("light", "Light"), ("dark", "Dark")],
        required=False,
        widget=forms.RadioSelect,
        help_text="Kept in this browser.",
    )


ROLE_CHOICES = [(name, PHRASES[name]) for name in ROLES]


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=1000,
        widget=forms.TextInput({"class": "in", "autocomplete": "off"}),
        help_text="It becomes part of the audit trail.",
    )


class RoleForm(ReasonForm):
    role = forms.ChoiceField(
        choices=[("", "Choose a role"), *ROLE_CHOICES], widget=forms.Select({"class": "in"})
    )
    field_order = ["role", "reason"]


class NewAccountForm(forms.Form):
    username = forms.CharField(
        max_length=150, label="Account name", widget=forms.TextInput({"class": "in", "autocomplete": "off"})
    )
    role = forms.ChoiceField(
        choices=[("", "No role"), *ROLE_CHOICES], required=False, widget=forms.Select({"class": "in"})
    )
