"""What a browser sends about prices, checked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from monitoring.costs.models import UNITS, Resource

FIELD = {"class": "in"}


class PriceForm(forms.Form):
    """A resource costs this from a day on."""

    resource = forms.ChoiceField(
        label="Resource",
        choices=[(value, f"{label}, per {UNITS[Resource(value)]}") for value, label in Resource.choices],
        widget=forms.Select(FIELD),
    )
    price_usd = forms.DecimalField(
        label="Price in USD",
        min_value=0,
        max_digits=14,
        decimal_places=6,
        widget=forms.NumberInput({"class": "in", "step": "any"}),
    )
    valid_from = forms.DateField(
        label="From day",
        initial=lambda: timezone.now().date(),
        widget=forms.DateInput({"class": "in", "type": "date"}),
    )
    source = forms.CharField(
        label="Where the price is from",
        max_length=300,
        widget=forms.TextInput(FIELD),
        help_text="An invoice, a price list, an internal rate.",
    )

    def as_given(self) -> dict[str, Any]:
        """As a REST caller would send it."""
        data = self.cleaned_data
        return {**data, "price_usd": str(data["price_usd"]), "valid_from": data["valid_from"].isoformat()}
