"""Which two versions to compare, and on which data to score both."""

from __future__ import annotations

from typing import Any

from django import forms

from pipelines.models import DatasetVersion
from registry.compare.lookups import OFFERED

FIELD = {"class": "in"}


class PairForm(forms.Form):
    """A GET form, so every comparison has an address."""

    a = forms.ChoiceField(label="From", widget=forms.Select(FIELD))
    b = forms.ChoiceField(label="to", widget=forms.Select(FIELD))

    def __init__(self, *args: Any, versions: Any, also: tuple[int | None, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        numbers = list(versions.order_by("-number").values_list("number", flat=True)[:OFFERED])
        numbers += [each for each in also if each and each not in numbers]
        for field in self.fields.values():
            if isinstance(field, forms.ChoiceField):
                field.choices = [(str(number), f"v{number}") for number in numbers]


class EvaluateForm(forms.Form):
    """The same rows for both versions."""

    a = forms.CharField(max_length=12, widget=forms.HiddenInput)
    b = forms.CharField(max_length=12, widget=forms.HiddenInput)
    dataset_version = forms.ModelChoiceField(
        DatasetVersion.objects.none(),
        label="Score both on",
        empty_label="Choose a data set version",
        widget=forms.Select(FIELD),
    )

    def __init__(self, *args: Any, offered: Any, trained_on: set[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["dataset_version"]
        choice.queryset = offered
        choice.label_from_instance = lambda data: (
            f"{data.dataset.name} {data.label or f'v{data.number}'}"
            + (" (one of them was trained on it)" if data.pk in trained_on else "")
        )
