"""What a browser sends about quotas and holds, checked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

FIELD = {"class": "in"}
GIB = 1 << 30


class QuotaForm(forms.Form):
    """A quota in GiB; an empty one means the installation's."""

    gib = forms.DecimalField(
        label="Most this model may keep, in GiB",
        required=False,
        min_value=Decimal("0.001"),
        max_value=Decimal(8_000_000_000),
        decimal_places=3,
        widget=forms.NumberInput({"class": "in", "step": "0.001"}),
        help_text="Empty: what the installation allows.",
    )
    reason = forms.CharField(label="Reason for the quota", max_length=1000, widget=forms.TextInput(FIELD))

    def said(self) -> dict[str, Any]:
        gib = self.cleaned_data["gib"]
        return {"bytes": None if gib is None else int(gib * GIB), "reason": self.cleaned_data["reason"]}


class HoldForm(forms.Form):
    """Why a version must be kept, or need no longer be."""

    reason = forms.CharField(label="Reason", max_length=1000, widget=forms.TextInput(FIELD))


class DeletedFilterForm(forms.Form):
    """Narrowing the list of deleted versions."""

    model = forms.CharField(label="Model", required=False, max_length=256, widget=forms.TextInput(FIELD))
