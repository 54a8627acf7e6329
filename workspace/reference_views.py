"""Pages that say how to call REST, and the document they are made from."""

from functools import cache

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from core.doors import PageRequest, sign_in_required
from core.errors import Invalid
from workspace.api_document import JSON_TYPE, YAML_TYPE, as_json, as_yaml, document
from workspace.api_reference import ResourceOfApi, resources


@cache
def reference() -> list[ResourceOfApi]:
    return resources(document())


@sign_in_required
@require_safe
def api_docs(request: PageRequest) -> HttpResponse:
    """How do I call it? Conventions, and every address with one sentence."""
    context = {"resources": reference(), "base": settings.PUBLIC_URL, "document": document()["info"]}
    return render(request, "workspace/api_docs.html", context)


@sign_in_required
@require_safe
def api_docs_of(request: PageRequest, name: str) -> HttpResponse:
    """One resource: parameters, bodies, answers and a call to copy."""
    found = next((each for each in reference() if each.name == name), None)
    if found is None:
        raise Http404
    context = {
        "resource": found,
        "resources": reference(),
        "base": settings.PUBLIC_URL,
        "trail": [("API", "/api/docs/"), (name, "")],
    }
    return render(request, "workspace/api_docs_of.html", context)


class Whatever(BaseContentNegotiation):
    """The document is answered whatever Accept says; ``?format=`` decides its form."""

    def select_parser(self, request, parsers):  # type: ignore[no-untyped-def]
        return parsers[0]

    def select_renderer(self, request, renderers, format_suffix=None):  # type: ignore[no-untyped-def]
        return renderers[0], renderers[0].media_type


@extend_schema(exclude=True)
class SchemaView(APIView):
    """``/api/v1/schema/``: YAML, or JSON with ``?format=json`` or an Accept that names it."""

    content_negotiation_class = Whatever

    def get(self, request: Request) -> HttpResponse:
        form = request.query_params.get("format") or (
            "json" if "json" in request.headers.get("Accept", "") else "yaml"
        )
        if form not in {"json", "yaml"}:
            raise Invalid("format must be one of: json, yaml.", field="format", allowed="json, yaml")
        if form == "json":
            return HttpResponse(as_json(), content_type=JSON_TYPE)
        return HttpResponse(as_yaml(), content_type=YAML_TYPE)
