"""REST: sources of data set versions, and who may use them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.sight import require_sight
from core.api.items import item
from core.api.paging import WholeList
from core.api.views import IdempotentPosts
from core.errors import NotAllowed
from pipelines.sources import services
from pipelines.sources.api.serializers import (
    NewSourceGrantSerializer,
    NewSourceSerializer,
    SourceGrantSerializer,
    SourceHolderSerializer,
    SourceReasonSerializer,
    SourceSerializer,
    described,
)
from pipelines.sources.lookups import find_source
from pipelines.sources.models import Source, grants_on
from pipelines.sources.rights import may_see_places


class SourceViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/data-sources``: databases and S3 prefixes that the caller may read from, or administers."""

    serializer_class = SourceSerializer
    ordering = "-created_at"

    def get_queryset(self) -> QuerySet[Source]:
        require_sight(self.request.actor)
        return Source.objects.visible_to(self.request.actor).select_related("created_by")

    def get_serializer_context(self) -> dict[str, Any]:
        context: dict[str, Any] = super().get_serializer_context()
        return {**context, "shows_places": may_see_places(self.request.actor)}

    @extend_schema(request=NewSourceSerializer, responses={201: SourceSerializer})
    def create(self, request: Request) -> Response:
        """Nobody may use it until it is granted to them."""
        new = NewSourceSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        source = services.add_source(actor=request.actor, **new.validated_data)
        address = f"/api/v1/data-sources/{source.name}"
        return item(request, self.get_serializer(source).data, status=201, headers={"Location": address})

    def retrieve(self, request: Request, name: str) -> Response:
        require_sight(request.actor)
        return item(request, self.get_serializer(find_source(request.actor, name)).data)

    @extend_schema(request=SourceReasonSerializer, responses={204: None})
    def remove(self, request: Request, name: str) -> Response:
        """Its grants go with it; what was read from it stays."""
        source = find_source(request.actor, name)
        asked = SourceReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        services.remove_source(actor=request.actor, source=source, **asked.validated_data)
        return Response(status=204)


class SourceGrantViewSet(IdempotentPosts, viewsets.GenericViewSet):
    """``/data-sources/{name}/grants``: who may read data set versions from a source."""

    serializer_class = SourceGrantSerializer
    pagination_class = WholeList

    @extend_schema(responses=SourceGrantSerializer(many=True))
    def list(self, request: Request, name: str) -> Response:
        source = find_source(request.actor, name)
        if not may_see_places(request.actor):
            raise NotAllowed(f"You may not see who uses {source}; administrators and auditors may.")
        return Response(
            {"items": [described(each) for each in grants_on(source)], "next": None, "previous": None}
        )

    @extend_schema(request=NewSourceGrantSerializer, responses={201: SourceGrantSerializer})
    def create(self, request: Request, name: str) -> Response:
        source = find_source(request.actor, name)
        asked = NewSourceGrantSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = services.grant_use(actor=request.actor, source=source, **self._asked(request, asked))
        return Response(described(given), status=201)

    @extend_schema(request=SourceHolderSerializer, responses={204: None})
    def revoke(self, request: Request, name: str) -> Response:
        source = find_source(request.actor, name)
        asked = SourceHolderSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        services.revoke_use(actor=request.actor, source=source, **self._asked(request, asked))
        return Response(status=204)

    def _asked(self, request: Request, checked: Any) -> dict[str, Any]:
        asked = dict(checked.validated_data)
        names = {kind: asked.pop(kind, None) for kind in ("account", "group")}
        return {**asked, **services.find_holder(actor=request.actor, **names)}
