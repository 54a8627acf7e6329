"""Commands people can copy, filled with real names."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from django.conf import settings

from deployments.models import Endpoint
from deployments.serving.schema import Column, schema_from

EXAMPLES: dict[str, Any] = {
    "boolean": True,
    "integer": 1,
    "long": 1,
    "float": 1.5,
    "double": 1.5,
    "string": "text",
}


def curl_for(endpoint: Endpoint) -> str:
    """A curl command that asks for one prediction."""
    columns = schema_from(endpoint.live.version.signature).columns if endpoint.live else []
    body = {"dataframe_records": [{column.name: _example(column) for column in columns}]}
    path = "/".join(quote(part, safe="") for part in (endpoint.environment.name, endpoint.model.name))
    return (
        f"curl {settings.GATEWAY_URL}/endpoints/{path}/invocations \\\n"
        '  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\\n'
        f"  -d {_quoted(json.dumps(body))}"
    )


def _example(column: Column) -> Any:
    return EXAMPLES.get(column.type, "2013-04-22T14:05:00" if column.type == "datetime" else None)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
