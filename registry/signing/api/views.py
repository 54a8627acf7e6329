"""REST: trusted keys, and the signature of a version."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import Body, TextField
from core.api.items import item
from core.api.views import IdempotentPosts
from registry.api.version_views import accepted
from registry.lookups import find_version
from registry.signing import services
from registry.signing.keys import LONGEST_PEM
from registry.signing.lookups import find_key, require_key_sight
from registry.signing.models import TrustedKey, VersionSignature


class SigningKeySerializer(serializers.ModelSerializer):
    added_by = serializers.CharField(source="added_by.username", default=None)
    retired_by = serializers.CharField(source="retired_by.username", default=None)

    class Meta:
        model = TrustedKey
        fields = (
            "id",
            "name",
            "fingerprint",
            "public_key",
            "reason",
            "added_by",
            "added_at",
            "retire_reason",
            "retired_by",
            "retired_at",
        )


class NewKeySerializer(Body):
    name = TextField(max_length=100)
    public_key = TextField(max_length=LONGEST_PEM)
    reason = TextField(max_length=1000)


class RetirementSerializer(Body):
    reason = TextField(max_length=1000)


class VersionSignatureSerializer(Body):
    """``outcome`` is verified, untrusted, failed, pending or unsigned."""

    outcome = serializers.CharField()
    key = serializers.CharField(source="key.name", default=None)
    fingerprint = serializers.CharField(source="key.fingerprint", default=None)
    finding = serializers.CharField(default="")
    checked_at = serializers.DateTimeField(default=None)


class SigningKeyViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/signing-keys`` and ``/signing-keys/{id}/retire``."""

    serializer_class = SigningKeySerializer
    ordering = "-added_at"

    def get_queryset(self) -> QuerySet[TrustedKey]:
        """Newest first; for those who administer or audit everything."""
        require_key_sight(self.request.actor)
        return TrustedKey.objects.select_related("added_by", "retired_by")

    @extend_schema(request=NewKeySerializer, responses={201: SigningKeySerializer})
    def create(self, request: Request) -> Response:
        require_key_sight(request.actor)
        new = NewKeySerializer(data=request.data)
        new.is_valid(raise_exception=True)
        key = services.trust_key(actor=request.actor, **new.validated_data)
        return Response(SigningKeySerializer(key).data, status=201)

    @extend_schema(request=RetirementSerializer, responses=SigningKeySerializer)
    def retire(self, request: Request, pk: str) -> Response:
        key = find_key(request.actor, uuid.UUID(pk))
        sent = RetirementSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        key = services.retire_key(actor=request.actor, key=key, **sent.validated_data)
        return Response(SigningKeySerializer(key).data)


class SignatureViewSet(IdempotentPosts, viewsets.GenericViewSet):
    """``/models/{name}/versions/{number}/signature``."""

    serializer_class = VersionSignatureSerializer
    pagination_class = None

    def retrieve(self, request: Request, name: str, number: int) -> Response:
        version = find_version(request, name, number)
        found: Any = VersionSignature.objects.filter(version=version).select_related("key").first()
        if found is None:
            found = {"outcome": "pending" if services.is_signed(version) else "unsigned"}
        return item(request, VersionSignatureSerializer(found).data)

    @extend_schema(request=None, responses={202: OpenApiTypes.OBJECT})
    def check(self, request: Request, name: str, number: int) -> Response:
        """Have a worker look at it again."""
        version = find_version(request, name, number)
        job = services.request_check(actor=request.actor, version=version)
        return accepted(job, {"digest": f"sha256:{version.digest}"})
