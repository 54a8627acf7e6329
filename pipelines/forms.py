"""What a browser sends about data sets and contracts, checked."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.forms import BaseFormSet, formset_factory

from pipelines.contracts import SCHEMA, TYPES
from pipelines.freshness import LONGEST, SHORTEST, UNITS, split
from pipelines.models import Dataset
from pipelines.overview import STATES

FIELD = {"class": "in"}
MOST_ROWS_OF_A_FORM = 100
LARGEST = 2**53


def text(label: str, size: int = 200, **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=size, widget=forms.TextInput(FIELD), strip=True, **more
    )


class ContractForm(forms.Form):
    """What a contract says of the table as a whole."""

    min_rows = forms.IntegerField(
        label="Fewest rows",
        required=False,
        min_value=0,
        max_value=LARGEST,
        widget=forms.NumberInput(FIELD),
    )
    max_rows = forms.IntegerField(
        label="Most rows", required=False, min_value=0, max_value=LARGEST, widget=forms.NumberInput(FIELD)
    )
    unique = forms.CharField(
        label="Values that occur once",
        required=False,
        max_length=5000,
        widget=forms.Textarea({"class": "in", "rows": 3}),
        help_text="One key per line; columns that only together occur once are separated by commas.",
    )
    forbids_extra = forms.BooleanField(label="No other columns are allowed", required=False)
    description = forms.CharField(
        label="In words",
        required=False,
        max_length=5000,
        widget=forms.Textarea({"class": "in", "rows": 2}),
    )

    @classmethod
    def told(cls, document: dict[str, Any]) -> dict[str, Any]:
        """A document as this form's initial values."""
        rows = document.get("rows") or {}
        keys = [[key] if isinstance(key, str) else key for key in document.get("unique") or []]
        return {
            "min_rows": rows.get("min"),
            "max_rows": rows.get("max"),
            "unique": "\n".join(", ".join(key) for key in keys),
            "forbids_extra": document.get("extra_columns") == "forbid",
            "description": document.get("description", ""),
        }

    def rules(self) -> dict[str, Any]:
        """What was typed, as the document says it."""
        said = self.cleaned_data
        ends = {"min": said["min_rows"], "max": said["max_rows"]}
        rows = {end: number for end, number in ends.items() if number is not None}
        keys = [[name.strip() for name in line.split(",")] for line in said["unique"].splitlines()]
        unique = [key for key in ([name for name in key if name] for key in keys) if key]
        return {
            "schema": SCHEMA,
            **({"description": said["description"]} if said["description"] else {}),
            **({"rows": rows} if rows else {}),
            **({"unique": unique} if unique else {}),
            **({"extra_columns": "forbid"} if said["forbids_extra"] else {}),
        }


class ColumnForm(forms.Form):
    """What a contract says of one column; a line without a name says nothing."""

    name = text("Column")
    type = forms.ChoiceField(
        label="Type", choices=[(each, each) for each in TYPES], widget=forms.Select(FIELD), required=False
    )
    min = text("Lowest", 40)
    max = text("Highest", 40)
    missing = forms.FloatField(
        label="Missing, at most %",
        required=False,
        min_value=0,
        max_value=100,
        widget=forms.NumberInput({"class": "in", "step": "any"}),
    )
    allowed = forms.CharField(
        label="Allowed values, one per line",
        required=False,
        max_length=100_000,
        widget=forms.Textarea({"class": "in", "rows": 1}),
    )
    description = forms.CharField(required=False, max_length=1000, widget=forms.HiddenInput)

    @classmethod
    def told(cls, name: str, rules: dict[str, Any]) -> dict[str, Any]:
        allowed = rules.get("allowed")
        share = rules.get("max_null_share") or 0
        return {
            "name": name,
            "type": rules["type"],
            "min": _written(rules.get("min")),
            "max": _written(rules.get("max")),
            "missing": float(f"{share * 100:.10g}") if share else None,
            "allowed": "\n".join(_written(each) for each in allowed) if allowed else "",
            "description": rules.get("description", ""),
        }

    def rules(self) -> dict[str, Any]:
        said = self.cleaned_data
        kind = said.get("type") or "string"
        rules: dict[str, Any] = {"type": kind}
        for end in ("min", "max"):
            if said.get(end):
                rules[end] = _number(said[end]) if kind in {"integer", "number"} else said[end]
        if said.get("missing"):
            rules["max_null_share"] = float(f"{said['missing'] / 100:.12g}")
        values = [line.strip() for line in (said.get("allowed") or "").splitlines() if line.strip()]
        if values:
            rules["allowed"] = [_value(each, kind) for each in values]
        if said.get("description"):
            rules["description"] = said["description"]
        return rules


class BaseColumns(BaseFormSet):
    """The lines of the editor; a name is given once."""

    def clean(self) -> None:
        seen: set[str] = set()
        for form in self.forms:
            name = form.cleaned_data.get("name", "") if hasattr(form, "cleaned_data") else ""
            if name and not self._should_delete_form(form):
                if name in seen:
                    form.add_error("name", f"{name} is given twice.")
                seen.add(name)

    def rules(self) -> dict[str, Any]:
        """Column names and their rules in the order of the page."""
        kept = [form for form in self.forms if not self._should_delete_form(form)]
        return {form.cleaned_data["name"]: form.rules() for form in kept if form.cleaned_data.get("name")}


ColumnForms = formset_factory(
    ColumnForm,
    formset=BaseColumns,
    extra=1,
    can_delete=True,
    max_num=MOST_ROWS_OF_A_FORM,
    absolute_max=MOST_ROWS_OF_A_FORM + 20,
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


class EditDatasetForm(forms.Form):
    """What people say of a data set, and how often newer data is expected."""

    description = forms.CharField(
        label="What it is", required=False, max_length=5000, widget=forms.Textarea({"class": "in", "rows": 4})
    )
    label_column = text("Label column")
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

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if (
            said.get("every")
            and said.get("unit")
            and not SHORTEST <= said["every"] * UNITS[said["unit"]] <= LONGEST
        ):
            self.add_error("every", "At least 1 minute and at most 10 years.")
        return said

    def fields_to_change(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {
            "description": said["description"],
            "label_column": said["label_column"],
            "expected_every": said["every"] * UNITS[said["unit"]] if said["every"] else None,
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


class ReasonForm(forms.Form):
    """Why something is done; kept in the audit trail."""

    reason = forms.CharField(
        label="Reason", max_length=1000, widget=forms.Textarea({"class": "in", "rows": 2})
    )


class KeepContractForm(forms.Form):
    """Keeping a contract as a new revision."""

    reason = forms.CharField(
        label="Reason for the new revision",
        max_length=1000,
        widget=forms.Textarea({"class": "in", "rows": 2}),
        help_text="Whoever is stopped by a rule later reads this.",
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2_147_483_647)


class ContractTextForm(forms.Form):
    """A contract as YAML: ours, or an Open Data Contract Standard document."""

    document = forms.CharField(
        label="Contract as YAML",
        max_length=500_000,
        widget=forms.Textarea({"class": "in mono", "rows": 18, "spellcheck": "false"}),
    )


def _written(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: str) -> Any:
    """What was typed as a number, or as it is, for the parser to refuse with its field's name."""
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return value


def _value(value: str, kind: str) -> Any:
    if kind == "boolean":
        return {"true": True, "false": False}.get(value.lower(), value)
    return _number(value) if kind == "integer" else value
