"""What a browser sends about models and access, checked."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib.auth.models import Group
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account, Person
from core.canonical import sha256_hex
from registry.access.models import people_who_see
from registry.access.services import GRANTABLE
from registry.models import ModelVersion, RegisteredModel
from registry.names import LONGEST_NAME, normal_name

FIELD = {"class": "in"}


class ModelFilterForm(forms.Form):
    """Narrowing the list of models; a GET form, so every view of it has an address."""

    q = forms.CharField(label="Name", required=False, max_length=256, widget=forms.TextInput(FIELD))
    kind = forms.ChoiceField(
        label="Kind",
        required=False,
        choices=[("", "Models and prompts"), ("models", "Models"), ("prompts", "Prompts")],
        widget=forms.Select(FIELD),
    )
    tier = forms.ChoiceField(
        label="Tier",
        required=False,
        choices=[("", "Any tier"), *RegisteredModel.Tier.choices],
        widget=forms.Select(FIELD),
    )
    show = forms.ChoiceField(
        label="Show",
        required=False,
        choices=[
            ("", "All"),
            ("live", "With a live version"),
            ("mine", "Mine: owner or on call"),
            ("unowned", "Without an owner"),
        ],
        widget=forms.Select(FIELD),
    )
    health = forms.ChoiceField(
        label="Health",
        required=False,
        choices=[("", "Any"), ("unhealthy", "Warning or worse")],
        widget=forms.Select(FIELD),
    )
    owner = forms.CharField(
        label="Owner", required=False, max_length=150, widget=forms.TextInput({**FIELD, "size": 14})
    )
    tag = forms.CharField(
        label="Tag",
        required=False,
        max_length=500,
        widget=forms.TextInput({**FIELD, "size": 14, "placeholder": "key:value"}),
    )


class EditModelForm(forms.Form):
    """What people say of a model."""

    description = forms.CharField(
        label="What it is for",
        required=False,
        max_length=5000,
        widget=forms.Textarea({"class": "in", "rows": 5}),
        help_text="Purpose, users and limits, in a few sentences.",
    )
    owner = forms.ModelChoiceField(
        Person.objects.none(), label="Owner", required=False, empty_label="Nobody", widget=forms.Select(FIELD)
    )
    on_call = forms.ModelChoiceField(
        Person.objects.none(),
        label="On call",
        required=False,
        empty_label="Nobody",
        widget=forms.Select(FIELD),
        help_text="Gets the alerts and may need to roll back.",
    )
    tier = forms.ChoiceField(
        label="Risk tier",
        choices=RegisteredModel.Tier.choices,
        widget=forms.Select(FIELD),
        help_text="Policies ask for more where more is at stake.",
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2_147_483_647)

    def __init__(self, *args: Any, model: RegisteredModel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [each for each in (model.owner_id, model.on_call_id) if each]
        people = Person.objects.filter(
            Q(pk__in=people_who_see(model).values("pk")) | Q(pk__in=named)
        ).order_by("name")
        for name in ("owner", "on_call"):
            cast(forms.ModelChoiceField, self.fields[name]).queryset = people


class EditVersionForm(forms.Form):
    """What people say of a version."""

    description = forms.CharField(
        label="What is new in it",
        required=False,
        max_length=5000,
        widget=forms.Textarea({"class": "in", "rows": 4}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2_147_483_647)
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    @classmethod
    def of(cls, version: ModelVersion) -> EditVersionForm:
        return cls(initial={"description": version.description, **cls._now(version)})

    @staticmethod
    def _now(version: ModelVersion) -> dict[str, Any]:
        return {"revision": version.rev, "seen": sha256_hex(version.description)}

    def saw(self, version: ModelVersion) -> bool:
        """Whether what it replaces is what its writer read, whatever else of the version has changed."""
        return bool(self.cleaned_data["seen"] == sha256_hex(version.description))

    def ask_again(self, version: ModelVersion) -> None:
        """Somebody described it meanwhile: say how, and let the next answer replace that."""
        said = self.data.copy()
        said.update({name: str(value) for name, value in self._now(version).items()})
        self.data = said
        theirs = version.description[:200] or "nothing"
        self.add_error(
            "description",
            f"Somebody described it while you were typing. Now it says: “{theirs}”. Keep yours to replace that.",
        )


class RenameForm(forms.Form):
    """Another name for a model."""

    new_name = forms.CharField(
        label="New name",
        max_length=LONGEST_NAME,
        widget=forms.TextInput({**FIELD, "autocomplete": "off", "spellcheck": "false"}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2_147_483_647)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="rename_%s", **kwargs)


class DeleteForm(forms.Form):
    """Why something goes for good, by somebody who has typed what it is."""

    reason = forms.CharField(
        label="Reason",
        min_length=3,
        max_length=1000,
        widget=forms.Textarea({**FIELD, "rows": 3}),
        help_text="Kept for good, where the version was.",
    )
    typed = forms.CharField(
        max_length=LONGEST_NAME + 12,
        widget=forms.TextInput({**FIELD, "autocomplete": "off", "spellcheck": "false"}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2_147_483_647)

    def __init__(self, *args: Any, named: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.named = named
        self.fields["typed"].label = f"Type {named} to confirm"

    def clean_typed(self) -> str:
        typed = str(self.cleaned_data["typed"])
        if normal_name(typed) != normal_name(self.named.strip()):
            raise forms.ValidationError(f"This is not {self.named}.")
        return typed


class HolderForm(forms.Form):
    """A right on a model and who has it."""

    right = forms.ChoiceField(
        label="Right",
        choices=[("", "Choose"), *((right, right.replace("_", " ").capitalize()) for right in GRANTABLE)],
        widget=forms.Select(FIELD),
    )
    account = forms.CharField(label="Person", required=False, max_length=150, widget=forms.TextInput(FIELD))
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


class GrantForm(HolderForm):
    """Giving a right, for good or until a moment."""

    expires_at = forms.DateTimeField(
        label="Until",
        required=False,
        widget=forms.DateTimeInput({"class": "in", "type": "datetime-local"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = timezone.get_current_timezone_name()
        self.fields["expires_at"].help_text = f"By the clock of {zone}, your time zone; empty: until revoked."
