"""What a browser sends about sources, checked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import Group

from accounts.models import Account

FIELD = {"class": "in"}


def _text(label: str, size: int, **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=size, widget=forms.TextInput(FIELD), strip=True, **more
    )


class DatabaseForm(forms.Form):
    """A configured database gets its row, so that it can be granted."""

    name = forms.ChoiceField(label="Database", widget=forms.Select(FIELD))
    description = _text("What it holds", 1000)

    def __init__(self, *args: Any, names: list[str], **kwargs: Any) -> None:
        super().__init__(*args, prefix="sql", **kwargs)
        self.fields["name"].choices = [(each, each) for each in names]  # type: ignore[attr-defined]


class BucketForm(forms.Form):
    """A part of an S3 bucket."""

    name = forms.CharField(label="Name", max_length=63, widget=forms.TextInput(FIELD))
    description = _text("What it holds", 1000)
    endpoint = forms.CharField(
        label="Endpoint",
        max_length=300,
        widget=forms.TextInput({"class": "in", "placeholder": "https://s3.eu-central-1.amazonaws.com"}),
    )
    bucket = forms.CharField(label="Bucket", max_length=63, widget=forms.TextInput(FIELD))
    prefix = _text("Prefix", 500, help_text="Only what lies beneath is ever read; empty means all of it.")
    region = forms.CharField(
        label="Region", max_length=32, initial="us-east-1", widget=forms.TextInput(FIELD)
    )
    addressing = forms.ChoiceField(
        label="Where the bucket's name goes",
        choices=[("path", "In the path"), ("virtual", "In the host name")],
        widget=forms.Select(FIELD),
    )
    credentials = forms.ChoiceField(
        label="Keys",
        required=False,
        widget=forms.Select(FIELD),
        help_text="Named in the environment as S3_SOURCE_KEYS_<NAME>; never shown.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, prefix="s3", **kwargs)
        known = [(each, each) for each in settings.DATASETS_S3_KEYS]
        self.fields["credentials"].choices = [("", "None: unsigned"), *known]  # type: ignore[attr-defined]


class SourceHolderForm(forms.Form):
    """Who may use a source."""

    account = _text("Person", 150)
    group = forms.ModelChoiceField(
        Group.objects.order_by("name"),
        label="or group",
        required=False,
        empty_label="No group",
        to_field_name="name",
        widget=forms.Select(FIELD),
    )
    reason = forms.CharField(label="Reason", max_length=1000, widget=forms.TextInput(FIELD))

    def clean_account(self) -> Account | None:
        name = self.cleaned_data["account"]
        if not name:
            return None
        account = Account.objects.filter(username__iexact=name).first() if "\x00" not in name else None
        if account is None:
            raise forms.ValidationError(f"There is no account named {name}.")
        return account

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and (cleaned.get("account") is None) == (cleaned.get("group") is None):
            self.add_error("account", "Name either a person or a group.")
        return cleaned


class SourceGrantForm(SourceHolderForm):
    """Letting somebody use a source, for good or until a moment."""

    expires_at = forms.DateTimeField(
        label="Until",
        required=False,
        widget=forms.DateTimeInput({"class": "in", "type": "datetime-local"}),
        help_text="Empty: until revoked.",
    )


class RemovalForm(forms.Form):
    """Why a source is removed."""

    reason = forms.CharField(label="Reason", max_length=1000, widget=forms.TextInput(FIELD))
