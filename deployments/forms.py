"""What a browser sends about deployments, checked."""

from __future__ import annotations

from typing import Any

from django import forms

from deployments.models import Deployment, Environment

FIELD = {"class": "in"}


class DeploymentFilterForm(forms.Form):
    """Narrowing the list; a GET form, so every view of it has an address."""

    model = forms.CharField(label="Model", required=False, max_length=256, widget=forms.TextInput(FIELD))
    environment = forms.ModelChoiceField(
        Environment.objects.all(),
        label="Environment",
        required=False,
        empty_label="Any",
        to_field_name="name",
        widget=forms.Select(FIELD),
    )
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[("", "Any"), *Deployment.Status.choices],
        widget=forms.Select(FIELD),
    )


class ReasonForm(forms.Form):
    """Why; it goes into the audit trail."""

    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        widget=forms.Textarea({"class": "in", "rows": 3}),
        help_text="Goes into the audit trail.",
    )


class RollbackForm(ReasonForm):
    """A rollback is signed: the reason and the password of the person who asks for it."""

    password = forms.CharField(
        label="Your password",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput({"class": "in", "autocomplete": "current-password"}),
        help_text="Proves that it is you who signs.",
    )


class DeployForm(forms.Form):
    """Put a version on a free environment's endpoint."""

    environment = forms.ModelChoiceField(
        Environment.objects.filter(is_protected=False),
        label="Environment",
        to_field_name="name",
        empty_label=None,
        widget=forms.Select(FIELD),
    )
    reason = forms.CharField(
        label="Reason", required=False, max_length=2000, widget=forms.Textarea({"class": "in", "rows": 2})
    )

    def chosen(self) -> Any:
        return self.cleaned_data["environment"]
