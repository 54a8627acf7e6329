"""REST: model cards and their revisions."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.items import item
from core.api.openapi import text
from core.api.views import etag_of, require_match
from core.errors import Invalid
from registry.cards.api.serializers import CardRevisionSerializer, NewCardSerializer, described
from registry.cards.lookups import card_of, find_revision, newest_number, usual_version
from registry.cards.models import CardRevision
from registry.cards.revising import differences
from registry.cards.services import revise_card
from registry.lookups import find_model, find_version
from registry.models import ModelVersion, RegisteredModel


def card_etag(model: RegisteredModel) -> str:
    return etag_of(model.pk, "card", newest_number(model))


class CardViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/models/{name}/card``, its revisions, and ``/models/{name}/versions/{number}/card``."""

    serializer_class = CardRevisionSerializer
    ordering = ("-number",)

    def get_queryset(self) -> QuerySet[CardRevision]:
        model = find_model(self.request, self.kwargs["name"])
        return CardRevision.objects.filter(model=model).select_related("created_by")

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, name: str) -> Response:
        """The card that holds for the champion, else for the newest ready version."""
        model = find_model(request, name)
        return self._answer(request, model, usual_version(request.actor, model))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def of_version(self, request: Request, name: str, number: int) -> Response:
        """The card that holds for this version."""
        version = find_version(request, name, number)
        return self._answer(request, version.model, version)

    @extend_schema(request=NewCardSerializer, responses={200: OpenApiTypes.OBJECT, 201: OpenApiTypes.OBJECT})
    def update(self, request: Request, name: str) -> Response:
        """Keep a new revision; one that exists needs If-Match. The same again changes nothing."""
        model = find_model(request, name)
        known = newest_number(model)
        if known:
            require_match(request, card_etag(model))
        new = NewCardSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        revise_card(actor=request.actor, model=model, expected_number=known, **new.validated_data)
        return self._answer(request, model, usual_version(request.actor, model), status=200 if known else 201)

    @extend_schema(parameters=[text("against", "A revision's number.")], responses=OpenApiTypes.OBJECT)
    def revision(self, request: Request, name: str, number: int) -> Response:
        """One revision and what it changed; ``?against=`` names another than the one before it."""
        model = find_model(request, name)
        revision = find_revision(model, int(number))
        against = _against(request, revision.number - 1)
        before: dict[str, Any] = find_revision(model, against).sections if against else {}
        changed = [each.to_json() for each in differences(before, revision.sections)]
        body = {**CardRevisionSerializer(revision).data, "against": against or None, "differences": changed}
        return item(request, body)

    def _answer(
        self, request: Request, model: RegisteredModel, version: ModelVersion | None, status: int = 200
    ) -> Response:
        body = described(card_of(request.actor, model, version))
        return Response(body, status=status, headers={"ETag": card_etag(model)})


def _against(request: Request, usual: int) -> int:
    text = request.query_params.get("against", "")
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and 0 < int(text[:12]) < 2**31):
        raise Invalid(
            "against must be the number of a revision.", field="against", allowed="a revision's number"
        )
    return int(text[:12])
