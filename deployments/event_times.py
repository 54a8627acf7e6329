"""Which column of a request may say when the predicted thing happens."""

from __future__ import annotations

from typing import Any

from core.errors import Invalid
from core.text import checked_text
from pipelines.models import DatasetVersion
from registry.models import ModelVersion, RegisteredModel
from registry.signature import columns_of

NEWEST = 10
# Of a signature and of a data set: what can be written as a time with its zone.
HOLDS_TIMES = frozenset({"string", "datetime", "any"})


def checked_event_time_column(model: RegisteredModel, name: Any) -> str:
    """The column's name, or Invalid where the model's versions show that it can hold no time.

    It may come beside the model's inputs: then the data sets of its versions tell whether it
    exists. A model without data sets may be asked with any column.
    """
    column = checked_text(name, "event_time_column", 200)
    if not column:
        return column
    inputs, data = _known(model)
    if inputs.get(column, "") in HOLDS_TIMES or (column not in inputs and not data):
        return column
    if column not in inputs and data.get(column, "") in HOLDS_TIMES:
        return column
    fitting = [each for each, kind in {**data, **inputs}.items() if kind in HOLDS_TIMES]
    allowed = ", ".join(sorted(fitting)) or "empty"
    raise Invalid(
        f"{column} is no column of {model} or its data sets that holds times; there are: {allowed}.",
        field="event_time_column",
        allowed=allowed,
    )


def _known(model: RegisteredModel) -> tuple[dict[str, str], dict[str, str]]:
    """The types of the inputs of the newest versions, and those of their data sets."""
    newest = ModelVersion.objects.existing().filter(model=model, status=ModelVersion.Status.READY)
    rows = list(newest.order_by("-number").values_list("pk", "signature")[:NEWEST])
    inputs = {
        each.name: each.type
        for _, signature in reversed(rows)
        for each in columns_of(signature)
        if each.part == "Input"
    }
    used = DatasetVersion.objects.filter(model_uses__version__in=[pk for pk, _ in rows]).order_by(
        "created_at"
    )
    data = {
        str(each.get("name")): str(each.get("type"))
        for schema in used.values_list("schema", flat=True)
        for each in schema
    }
    return inputs, data
