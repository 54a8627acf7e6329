"""What a browser sends about data sets, checked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django import forms

from core.errors import DomainError
from pipelines.freshness import LONGEST, SHORTEST, UNITS, split
from pipelines.models import Dataset
from pipelines.models.datasets import LONGEST_NAME
from pipelines.overview import STATES

FIELD = {"class": "in"}


def text(label: str, size: int = 200, **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=size, widget=forms.TextInput(FIELD), strip=True, **more
    )


class DatasetFilterForm(forms.Form):
    """Narrowing the list of data sets; a GET form, so every view of it has an address."""

    q = forms.CharField(label="Name", required=False, max_length=100, widget=forms.TextInput(FIELD))
    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "Any"), *STATES.items()], widget=forms.Select(FIELD)
    )
    show = forms.ChoiceField(
        label="Show", required=False, choices=[("", "All"), ("mine", "Mine")], widget=forms.Select(FIELD)
    )


class ExpectedForm(forms.Form):
    """How often newer data is expected."""

    every = forms.IntegerField(
        label="Newer data is expected every",
        required=False,
        min_value=1,
        max_value=1_000_000,
        widget=forms.NumberInput(FIELD),
        help_text="Empty: nothing is expected, and nothing is late.",
    )
    unit = forms.ChoiceField(
        label="Unit", choices=[(each, each) for each in UNITS], initial="days", widget=forms.Select(FIELD)
    )

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if (
            said.get("every")
            and said.get("unit")
            and not SHORTEST <= said["every"] * UNITS[said["unit"]] <= LONGEST
        ):
            self.add_error("every", "At least 1 minute and at most 10 years.")
        return said

    def expected_every(self) -> timedelta | None:
        said = self.cleaned_data
        return said["every"] * UNITS[said["unit"]] if said["every"] else None


class NewDatasetForm(ExpectedForm):
    """A data set that is to be; how its versions are read is settled here and never changes."""

    name = forms.CharField(
        label="Name",
        max_length=LONGEST_NAME,
        widget=forms.TextInput({**FIELD, "autocomplete": "off", "spellcheck": "false"}),
        help_text="Letters, digits, dots, hyphens and underscores. It never changes: programs use it.",
    )
    description = forms.CharField(
        label="What it is", required=False, max_length=5000, widget=forms.Textarea({"class": "in", "rows": 3})
    )
    event_time_column = text(
        "Event time column", help_text="When what a row tells happened; lateness and splits follow it."
    )
    time_zone = forms.CharField(
        label="Time zone",
        max_length=64,
        initial="UTC",
        widget=forms.TextInput(FIELD),
        help_text="As America/New_York: times without a zone are read in it.",
    )
    key_columns = text(
        "Key columns", 4000, help_text="Separated by commas; together they tell one row from all others."
    )
    label_column = text("Label column", help_text="What models are to predict.")

    def clean_key_columns(self) -> list[str]:
        return [each for part in self.cleaned_data["key_columns"].split(",") if (each := part.strip())]

    def refuse(self, error: DomainError) -> None:
        """What the service says of a field stands beside that field."""
        named = (error.field or "").partition("[")[0]
        named = "every" if named == "expected_every" else named
        self.add_error(named if named in self.fields else None, str(error))

    def said(self) -> dict[str, Any]:
        kept = {name: value for name, value in self.cleaned_data.items() if name not in ("every", "unit")}
        return {**kept, "expected_every": self.expected_every()}


class EditDatasetForm(ExpectedForm):
    """What people say of a data set, and how often newer data is expected."""

    description = forms.CharField(
        label="What it is", required=False, max_length=5000, widget=forms.Textarea({"class": "in", "rows": 4})
    )
    label_column = text("Label column")
    clock = forms.ChoiceField(
        label="Which clock counts",
        choices=[
            ("event", "Event time: the largest time the data speaks of"),
            ("arrival", "Arrival: when the last version came"),
        ],
        widget=forms.Select(FIELD),
        help_text="Data without event times always counts by arrival.",
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2_147_483_647)

    @classmethod
    def told(cls, dataset: Dataset) -> dict[str, Any]:
        every, unit = split(dataset.expected_every) if dataset.expected_every else (None, "days")
        return {
            "description": dataset.description,
            "label_column": dataset.label_column,
            "every": every,
            "unit": unit,
            "clock": dataset.freshness_clock,
            "revision": dataset.rev,
        }

    def fields_to_change(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {
            "description": said["description"],
            "label_column": said["label_column"],
            "expected_every": self.expected_every(),
            "freshness_clock": said["clock"],
        }


class UploadForm(forms.Form):
    """A table as a file."""

    file = forms.FileField(
        label="File",
        allow_empty_file=True,
        help_text="Parquet or CSV; the same bytes again are the version they already are.",
        widget=forms.ClearableFileInput(FIELD),
    )
    label = text("Label", 100, help_text="As 2013-01.")
    description = text("Description", 1000)


class QueryForm(forms.Form):
    """A query of a configured source."""

    source = forms.ChoiceField(label="Source", widget=forms.Select(FIELD))
    query = forms.CharField(
        label="Query",
        max_length=20_000,
        widget=forms.Textarea({"class": "in mono", "rows": 6, "spellcheck": "false"}),
        help_text="One SELECT; it runs in a read-only transaction with a time limit.",
    )
    label = text("Label of the version", 100)

    def __init__(self, *args: Any, sources: list[str], **kwargs: Any) -> None:
        super().__init__(*args, prefix="q", **kwargs)
        cast(forms.ChoiceField, self.fields["source"]).choices = [(each, each) for each in sources]


class PrefixForm(forms.Form):
    """The objects beneath a prefix of an S3 source."""

    source = forms.ChoiceField(label="Source", widget=forms.Select(FIELD))
    prefix = text(
        "Prefix", 500, help_text="As flights/2013-01/; every Parquet or CSV object beneath it is read."
    )
    label = text("Label of the version", 100)

    def __init__(self, *args: Any, sources: list[str], **kwargs: Any) -> None:
        super().__init__(*args, prefix="o", **kwargs)
        cast(forms.ChoiceField, self.fields["source"]).choices = [(each, each) for each in sources]


class ReasonForm(forms.Form):
    """Why something is done; kept in the audit trail."""

    reason = forms.CharField(
        label="Reason", max_length=1000, widget=forms.Textarea({"class": "in", "rows": 2})
    )
