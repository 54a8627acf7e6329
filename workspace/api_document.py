"""The OpenAPI document, made once per process: it depends on the code and on nothing else."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

JSON_TYPE = "application/vnd.oai.openapi+json"
YAML_TYPE = "application/vnd.oai.openapi"


@cache
def document() -> dict[str, Any]:
    """Everything there is; what a caller may see is a matter of the answers."""
    made: dict[str, Any] = SchemaGenerator(urlconf=settings.ROOT_URLCONF).get_schema(
        request=None, public=True
    )
    return made


@cache
def as_json() -> bytes:
    return json.dumps(document(), ensure_ascii=False).encode()


@cache
def as_yaml() -> bytes:
    rendered: bytes = OpenApiYamlRenderer().render(document())
    return rendered
