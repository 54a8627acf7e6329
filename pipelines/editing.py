"""The contract editor's state: what was typed, what it would change, and what it would find."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from core.errors import Invalid
from pipelines.contract_changes import Change, changes_between
from pipelines.contract_forms import (
    MOST_ROWS_OF_A_FORM,
    ColumnForm,
    ColumnForms,
    ContractForm,
    ContractTextForm,
    KeepContractForm,
)
from pipelines.contracts import Contract, loaded, parse
from pipelines.foresight import foresee
from pipelines.models import DataContract, Dataset
from pipelines.odcs.reading import from_standard, is_standard
from pipelines.rule_words import Beside, side_by_side

FORESEEN_VERSIONS = 12


def as_yaml(document: dict[str, Any]) -> str:
    """A document as people write it, keys in their order."""
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100))


def in_order(dataset: Dataset, document: dict[str, Any]) -> dict[str, Any]:
    """A document with its columns as the newest table has them: the database keeps no order of keys."""
    columns = document.get("columns") or {}
    newest = dataset.versions.ready().order_by("-number").values_list("schema", flat=True).first() or []
    known = [each["name"] for each in newest if each["name"] in columns]
    ordered = {name: columns[name] for name in dict.fromkeys([*known, *columns])}
    first = {name: document[name] for name in ("schema", "description", "rows") if name in document}
    return {
        **first,
        **({"columns": ordered} if columns else {}),
        **{name: value for name, value in document.items() if name not in {*first, "columns"}},
    }


class Editor:
    """One view of the editor: a table of columns, or YAML when asked or when columns are too many."""

    def __init__(self, dataset: Dataset, *, is_text: bool) -> None:
        self.dataset = dataset
        self.current = DataContract.objects.newest_of(dataset)
        self.before: dict[str, Any] = self.current.document if self.current else {}
        self.is_text = is_text
        self.contract: Contract | None = None
        self.problem = ""
        self.left_out: list[dict[str, str]] = []

    def show(self, document: dict[str, Any], reason: str = "") -> Editor:
        """Fill the forms from a document."""
        document = in_order(self.dataset, document)
        columns = document.get("columns") or {}
        self.is_text = self.is_text or len(columns) > MOST_ROWS_OF_A_FORM
        self.text = ContractTextForm(initial={"document": as_yaml(document) if document else ""})
        self.table = ContractForm(initial=ContractForm.told(document))
        self.columns = ColumnForms(
            initial=[ColumnForm.told(name, rules) for name, rules in columns.items()], prefix="c"
        )
        revision = self.current.revision if self.current else 0
        self.keep = KeepContractForm(initial={"revision": revision, "reason": reason})
        if document:
            self.contract = parse(document)
        return self

    def read(self, sent: Mapping[str, Any]) -> Editor:
        """What was typed; ``contract`` is None while it holds a mistake, which the forms name."""
        self.keep = KeepContractForm(sent)
        self.keep.fields["reason"].required = sent.get("do") == "keep"
        self.text = ContractTextForm(sent if self.is_text else None)
        self.table = ContractForm(None if self.is_text else sent)
        self.columns = ColumnForms(None if self.is_text else sent, prefix="c")
        forms = [self.text] if self.is_text else [self.table, self.columns]
        are_valid = all([self.keep.is_valid(), *(form.is_valid() for form in forms)])
        self.keep.fields["reason"].required = True
        if are_valid:
            try:
                self.contract = parse(self._document())
            except Invalid as error:
                self._blame(error)
        return self

    def changes(self) -> list[Change]:
        """What differs from the current revision."""
        return changes_between(self.before, self.contract.document) if self.contract else []

    def beside(self) -> list[Beside]:
        """The current revision's sentences beside those of what is being edited."""
        if self.contract is None:
            return []
        return side_by_side(
            in_order(self.dataset, self.before), in_order(self.dataset, self.contract.document)
        )

    def foreseen(self) -> list[dict[str, Any]]:
        """What the newest versions' own statistics say of it, before anything is kept."""
        if self.contract is None:
            return []
        newest = self.dataset.versions.ready().only("number", "label", "profile").order_by("-number")
        return [
            {"version": each, "found": foresee(self.contract, each.profile)}
            for each in newest[:FORESEEN_VERSIONS]
        ]

    def _document(self) -> Any:
        if self.is_text:
            return self._from_text(self.text.cleaned_data["document"])
        document = self.table.rules()
        columns = self.columns.rules()
        return {**document, "columns": columns} if columns else document

    def _from_text(self, text: str) -> Any:
        """Ours as it is; one of the open standard as far as it can be said, the rest is named."""
        document = loaded(text)
        if not is_standard(document):
            return document
        reading = from_standard(document, table=self.dataset.name)
        self.left_out = reading.left_out
        self.text = ContractTextForm({"document": as_yaml(reading.document)})
        return reading.document

    def _blame(self, error: Invalid) -> None:
        """Put the parser's sentence at the line it speaks of, else above them all."""
        parts = (error.field or "").split(".")
        if not self.is_text and parts[0] == "columns" and len(parts) > 2:
            name, rule = ".".join(parts[1:-1]), parts[-1].partition("[")[0]
            for form in self.columns.forms:
                if form.cleaned_data.get("name") == name:
                    known = {"max_null_share": "missing"}.get(rule, rule)
                    form.add_error(known if known in form.fields else None, error.message)
                    return
        self.problem = error.message
