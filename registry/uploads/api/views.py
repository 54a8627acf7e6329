"""REST: sending a model folder in parts."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import Body, TextField
from core.api.items import item
from core.api.views import IdempotentPosts
from core.errors import NotFound, TooLarge
from core.object_store import StoredObject, store
from registry.lookups import find_model
from registry.uploads import services
from registry.uploads.models import Upload
from registry.uploads.services import LARGEST_FILE, PART_BYTES


class NewUploadFileSerializer(Body):
    path = TextField(max_length=2000, trim_whitespace=False)
    size = serializers.IntegerField(min_value=0, max_value=LARGEST_FILE)
    sha256 = TextField(max_length=64)


class NewUploadSerializer(Body):
    files = NewUploadFileSerializer(many=True)


class UploadFileSerializer(NewUploadFileSerializer):
    received = serializers.IntegerField(help_text="Bytes that are here; go on from there.")


class UploadInListSerializer(serializers.ModelSerializer):
    model = serializers.CharField(source="model.name")
    source = serializers.CharField(help_text="What a version is registered from, once all is here.")
    part_bytes = serializers.SerializerMethodField()

    class Meta:
        model = Upload
        fields: tuple[str, ...] = (
            "id",
            "model",
            "source",
            "size",
            "part_bytes",
            "created_at",
            "expires_at",
        )

    def get_part_bytes(self, upload: Upload) -> int:
        """The most bytes of one part."""
        return PART_BYTES


class UploadSerializer(UploadInListSerializer):
    files = UploadFileSerializer(many=True, source="described")

    class Meta(UploadInListSerializer.Meta):
        fields = (*UploadInListSerializer.Meta.fields, "files")


class ReceivedSerializer(serializers.Serializer):
    received = serializers.IntegerField()


class BytesParser(BaseParser):
    """The body as it comes."""

    media_type = "application/octet-stream"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return stream


class UploadViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/models/{name}/uploads``: the caller's own uploads for a model."""

    serializer_class = UploadInListSerializer
    ordering = "-created_at"

    def get_queryset(self) -> QuerySet[Upload]:
        model = find_model(self.request, self.kwargs["name"])
        own = Upload.objects.open().of(self.request.actor).filter(model=model).select_related("model")
        return own.defer("files") if self.action == "list" else own

    @extend_schema(request=NewUploadSerializer, responses={201: UploadSerializer})
    def create(self, request: Request, name: str) -> Response:
        """Begin, or go on: the same list of files is the upload begun before, with what has arrived."""
        model = find_model(request, name)
        new = NewUploadSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        upload = services.begin_upload(actor=request.actor, model=model, **new.validated_data)
        address = f"/api/v1/models/{model.name}/uploads/{upload.pk}"
        return item(request, UploadSerializer(upload).data, status=201, headers={"Location": address})

    @extend_schema(responses=UploadSerializer)
    def retrieve(self, request: Request, name: str, key: str) -> Response:
        return item(request, UploadSerializer(self._found(key)).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str, key: str) -> Response:
        """Give the upload up; its parts go when the store is next cleaned."""
        services.forget_upload(actor=request.actor, upload=self._found(key))
        return Response(status=204)

    def _found(self, key: str) -> Upload:
        upload = self.get_queryset().filter(pk=UUID(key)).first()
        if upload is None:
            raise NotFound(f"There is no upload {key}.")
        return upload


class PartViewSet(UploadViewSet):
    """``…/uploads/{id}/files/{file}/parts/{start}``."""

    parser_classes = (BytesParser,)

    @extend_schema(request={"application/octet-stream": OpenApiTypes.BINARY}, responses=ReceivedSerializer)
    def update(self, request: Request, name: str, key: str, file: str, start: str) -> Response:
        """The bytes of a file (by its place in ``files``) from ``start``; sent again, it changes nothing."""
        upload = self._found(key)
        content = _content(request.data)
        part = StoredObject(sha256(content).hexdigest(), len(content))
        place = {"upload": upload, "file": int(file), "start": int(start), "part": part}
        # What is refused never reaches the store: nothing would count it or take it away.
        if services.is_wanted(actor=request.actor, **place):
            store().put_stream([content])
        upload = services.add_part(actor=request.actor, **place)
        return Response({"received": upload.received()[int(file)]})


def _content(stream: Any) -> bytes:
    """One part, which is small enough for memory."""
    content: bytes = stream.read(PART_BYTES + 1) if hasattr(stream, "read") else b""
    if len(content) > PART_BYTES:
        raise TooLarge(f"A part has at most {PART_BYTES} bytes.", field="body", allowed=PART_BYTES)
    return content
