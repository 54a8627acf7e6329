"""REST: what models keep, what must be kept, and what was deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import Body, TextField
from core.api.items import item
from core.api.openapi import text
from core.api.views import IdempotentPosts, require_match
from core.errors import NotFound
from registry.lookups import find_model, find_version, require_sight
from registry.models import RegisteredModel
from registry.storage import services
from registry.storage.bytes_in_use import bytes_in_use
from registry.storage.models import LegalHold, Tombstone


class TombstoneSerializer(serializers.ModelSerializer):
    model = serializers.CharField(source="model_name")
    version = serializers.IntegerField(source="number")
    deleted_by = serializers.CharField(source="deleted_by_name")
    bytes_kept_until = serializers.SerializerMethodField()

    class Meta:
        model = Tombstone
        fields = (
            "id",
            "model",
            "version",
            "digest",
            "size",
            "aliases",
            "reason",
            "deleted_by",
            "deleted_at",
            "bytes_kept_until",
        )

    def get_bytes_kept_until(self, tombstone: Tombstone) -> str:
        until = tombstone.deleted_at + timedelta(days=settings.UNREFERENCED_KEPT_DAYS)
        return until.isoformat()


class StorageSerializer(Body):
    """``quota_bytes`` is null where nothing limits the model."""

    used_bytes = serializers.IntegerField(source="used", read_only=True)
    versions = serializers.IntegerField(read_only=True)
    quota_bytes = serializers.IntegerField(source="quota", read_only=True, allow_null=True)
    left_bytes = serializers.IntegerField(source="left", read_only=True, allow_null=True)
    is_own_quota = serializers.BooleanField(source="is_own", read_only=True)


class NewQuotaSerializer(Body):
    quota_bytes = serializers.IntegerField(min_value=1, max_value=services.LARGEST_QUOTA, allow_null=True)
    reason = TextField(max_length=1000)


class HoldReasonSerializer(Body):
    reason = TextField(max_length=1000)


class HoldSerializer(serializers.ModelSerializer):
    placed_by = serializers.CharField(source="placed_by.username", default=None)
    released_by = serializers.CharField(source="released_by.username", default=None)

    class Meta:
        model = LegalHold
        fields = ("reason", "placed_by", "placed_at", "release_reason", "released_by", "released_at")


class DeletedVersionViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/deleted-versions``, newest first."""

    serializer_class = TombstoneSerializer
    ordering = "-deleted_at"
    query_parameters = (text("model"),)

    def get_queryset(self) -> QuerySet[Tombstone]:
        """``?model=`` narrows; only of models that the caller administers or audits."""
        require_sight(self.request.actor)
        rows = Tombstone.objects.visible_to(self.request.actor).in_lists()
        if name := self.request.query_params.get("model", ""):
            return rows.of_model(name)
        return rows


class QuotaViewSet(viewsets.GenericViewSet):
    """``/models/{name}/storage``."""

    serializer_class = StorageSerializer
    pagination_class = None

    def retrieve(self, request: Request, name: str) -> Response:
        return self._answer(request, find_model(request, name))

    @extend_schema(request=NewQuotaSerializer, responses=StorageSerializer)
    def update(self, request: Request, name: str) -> Response:
        """Set the model's quota; null goes back to what the installation allows."""
        model = find_model(request, name)
        seen = bytes_in_use(model).quota
        require_match(request, self._answer(request, model)["ETag"])
        sent = NewQuotaSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        said = sent.validated_data
        services.set_quota(
            actor=request.actor,
            model=model,
            bytes=said["quota_bytes"],
            reason=said["reason"],
            expected_quota=services.UNSEEN if request.headers["If-Match"] == "*" else seen,
        )
        return self._answer(request, model)

    def _answer(self, request: Request, model: RegisteredModel) -> Response:
        return item(request, StorageSerializer(bytes_in_use(model)).data)


class HoldViewSet(IdempotentPosts, viewsets.GenericViewSet):
    """``/models/{name}/versions/{number}/hold``."""

    serializer_class = HoldSerializer
    pagination_class = None

    def retrieve(self, request: Request, name: str, number: int) -> Response:
        """The standing hold, or 404."""
        version = find_version(request, name, number)
        hold = LegalHold.objects.standing().filter(version=version).select_related("placed_by").first()
        if hold is None:
            raise NotFound(f"{version} is under no legal hold.")
        return item(request, HoldSerializer(hold).data)

    @extend_schema(request=HoldReasonSerializer, responses={201: HoldSerializer})
    def create(self, request: Request, name: str, number: int) -> Response:
        version, reason = find_version(request, name, number), self._reason(request)
        hold = services.place_hold(actor=request.actor, version=version, reason=reason)
        hold.refresh_from_db()
        return Response(HoldSerializer(hold).data, status=201)

    @extend_schema(request=HoldReasonSerializer, responses=HoldSerializer)
    def release(self, request: Request, name: str, number: int) -> Response:
        version, reason = find_version(request, name, number), self._reason(request)
        hold = services.release_hold(actor=request.actor, version=version, reason=reason)
        return Response(HoldSerializer(hold).data)

    @staticmethod
    def _reason(request: Request) -> Any:
        sent = HoldReasonSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        return sent.validated_data["reason"]
