"""REST: registered models and their aliases."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.db.models import OuterRef, QuerySet, Subquery
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.sight import require_sight
from core.api.openapi import choice, text
from core.api.paging import WholeList
from core.api.views import IdempotentPosts, etag_of, require_match
from core.errors import Invalid, NotFound, PreconditionFailed
from core.filters import asked
from registry import protected, rights, services
from registry.api.serializers import (
    AliasSerializer,
    ChangedModelSerializer,
    NewModelSerializer,
    PointedVersionSerializer,
    RegisteredModelSerializer,
)
from registry.api.sorting import Sorting
from registry.forms import ModelFilterForm
from registry.lookups import find_model, find_version
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from registry.names import is_storable
from registry.overview import narrowed


def with_latest_number(models: QuerySet[RegisteredModel]) -> QuerySet[RegisteredModel]:
    newest = ModelVersion.objects.existing().filter(model=OuterRef("pk")).order_by("-number")
    return models.annotate(latest_number=Subquery(newest.values("number")[:1]))


def model_etag(model: RegisteredModel) -> str:
    return etag_of(model.pk, model.rev)


class ModelViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/models`` and ``/models/{name}``."""

    serializer_class = RegisteredModelSerializer
    filter_backends = (Sorting,)
    query_parameters = (
        text("q", "Part of a name."),
        choice("kind", ["models", "prompts"], "Without it both."),
        choice("tier", RegisteredModel.Tier.values),
        choice("health", ["unhealthy"], "In service with a warning, a breach or an open incident."),
        text("owner", "Part of the owner's name."),
        text("tag", "key:value, or key alone for any value."),
        choice("show", ["live", "mine", "unowned"], "With a champion; owned or on call; owned by nobody."),
    )
    sorts = {
        "name": ("name",),
        "-name": ("-name",),
        "-last_updated_at": ("-last_updated_at", "name"),
        "created_at": ("created_at", "name"),
    }

    def get_queryset(self) -> QuerySet[RegisteredModel]:
        """Narrowed by the same filters as the page."""
        require_sight(self.request.actor)
        filters = asked(ModelFilterForm(self.request.query_params))
        models = narrowed(RegisteredModel.objects.visible_to(self.request.actor), self.request.actor, filters)
        named = models.select_related("owner", "on_call")
        return with_latest_number(named).prefetch_related("tags", "aliases__version")

    @extend_schema(request=NewModelSerializer, responses={201: RegisteredModelSerializer})
    def create(self, request: Request) -> Response:
        may_name = rights.may_create(request.actor)
        new = NewModelSerializer(data=request.data, context={"may_name_people": may_name})
        new.is_valid(raise_exception=True)
        model = services.create_model(actor=request.actor, **new.validated_data)
        return self._answer(
            model, status=201, headers={"Location": f"/api/v1/models/{quote(model.name, safe='')}"}
        )

    def retrieve(self, request: Request, name: str) -> Response:
        return self._answer(find_model(request, name))

    @extend_schema(request=ChangedModelSerializer, responses=RegisteredModelSerializer)
    def partial_update(self, request: Request, name: str) -> Response:
        model = find_model(request, name)
        require_match(request, model_etag(model))
        may_name = rights.may_administer(request.actor, model)
        change = ChangedModelSerializer(data=request.data, context={"may_name_people": may_name})
        change.is_valid(raise_exception=True)
        fields = dict(change.validated_data)
        new_name = fields.pop("name", None)
        if not fields and new_name is None:
            allowed = ", ".join(ChangedModelSerializer().fields)
            raise Invalid(f"Nothing to change; send at least one of: {allowed}.", allowed=allowed)
        model = services.change_model(
            actor=request.actor, model=model, new_name=new_name, expected_rev=model.rev, **fields
        )
        return self._answer(model)

    @extend_schema(parameters=[text("reason", "Why; the tombstone keeps it.")], responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        model = find_model(request, name)
        require_match(request, model_etag(model))
        reason = request.query_params.get("reason", "")
        services.delete_model(actor=request.actor, model=model, reason=reason, expected_rev=model.rev)
        return Response(status=204)

    def _answer(self, model: RegisteredModel, **about: Any) -> Response:
        fresh = with_latest_number(
            RegisteredModel.objects.filter(pk=model.pk).select_related("owner", "on_call")
        )
        row = fresh.prefetch_related("tags", "aliases__version").get()
        about.setdefault("headers", {})["ETag"] = model_etag(row)
        return Response(self.get_serializer(row).data, **about)


class AliasViewSet(viewsets.GenericViewSet):
    """``/models/{name}/aliases`` and ``/models/{name}/aliases/{alias}``."""

    serializer_class = AliasSerializer
    pagination_class = WholeList

    def list(self, request: Request, name: str) -> Response:
        aliases = find_model(request, name).aliases.select_related("version").order_by("name")
        return Response({"items": AliasSerializer(aliases, many=True).data, "next": None, "previous": None})

    def retrieve(self, request: Request, name: str, alias: str) -> Response:
        return self._answer(self._find(request, name, alias))

    @extend_schema(request=PointedVersionSerializer, responses={200: AliasSerializer, 201: AliasSerializer})
    def update(self, request: Request, name: str, alias: str) -> Response:
        """Point the alias at a version; one that exists needs If-Match. Protected ones follow approvals."""
        model = find_model(request, name)
        pointed = PointedVersionSerializer(data=request.data)
        pointed.is_valid(raise_exception=True)
        known = model.aliases.filter(name=alias).first()
        seen = seen_alias(request, known)
        version = find_version(request, name, pointed.validated_data["version"])
        if services.is_protected_alias(alias):
            protected.ask_to_move(request.actor, model, alias, version)
        else:
            services.set_alias(actor=request.actor, model=model, alias=alias, version=version, seen=seen)
        return self._answer(self._find(request, name, alias), status=200 if known else 201)

    def destroy(self, request: Request, name: str, alias: str) -> Response:
        known = self._find(request, name, alias)
        seen = seen_alias(request, known)
        if services.is_protected_alias(alias):
            protected.ask_to_move(request.actor, known.model, alias, None)
        else:
            services.delete_alias(actor=request.actor, model=known.model, alias=alias, seen=seen)
        return Response(status=204)

    def _find(self, request: Request, name: str, alias: str) -> ModelAlias:
        model = find_model(request, name)
        known = (
            model.aliases.select_related("version").filter(name=alias).first() if is_storable(alias) else None
        )
        if known is None:
            raise NotFound(f"{model} has no alias {alias[:256]!r}.")
        known.model = model
        return known

    def _answer(self, alias: ModelAlias, status: int = 200) -> Response:
        return Response(
            AliasSerializer(alias).data, status=status, headers={"ETag": services.alias_etag(alias)}
        )


def seen_alias(request: Request, known: ModelAlias | None) -> ModelAlias | services.Unseen | None:
    """What the caller has seen by its If-Match; the service checks again once nobody else can write."""
    sent = request.headers.get("If-Match")
    if known is None:
        if sent:
            raise PreconditionFailed("There is no such alias (any more), so nothing can match If-Match.")
        return None
    require_match(request, services.alias_etag(known))
    return services.UNSEEN if sent == "*" else known
