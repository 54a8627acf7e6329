"""What a browser sends about a data set's contract, checked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory

from pipelines.contracts import SCHEMA, TYPES
from pipelines.forms import FIELD, text

MOST_ROWS_OF_A_FORM = 100
LARGEST = 2**53


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
