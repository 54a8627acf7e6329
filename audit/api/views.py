"""REST doors of the ledger, for those who may audit; for others nothing is here."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import exports, tree
from audit.filters import filtered
from audit.models import Event, Export
from audit.recording import OUTCOMES
from audit.selecting import Selection, moment
from core.api.fields import Body, TextField
from core.api.items import item
from core.api.views import IdempotentPosts
from core.errors import Invalid, NotFound
from core.object_store import store
from core.text import storable_text


class EventSerializer(serializers.Serializer):
    """The evidence as it was recorded, with what the database added."""

    v = serializers.IntegerField()
    id = serializers.UUIDField()
    action = TextField()
    outcome = serializers.ChoiceField(sorted(OUTCOMES))
    actor = serializers.DictField(help_text="Who, by which account, with which roles, via what.")
    occurred_at = serializers.DateTimeField(help_text="By the clock of the process that asked.")
    object = serializers.DictField(required=False)
    before = serializers.JSONField(required=False)
    after = serializers.JSONField(required=False)
    reason = TextField(required=False)
    meaning = TextField(required=False)
    recorded_at = serializers.DateTimeField(help_text="By the clock of the database.")
    db_user = TextField()
    leaf = TextField(help_text="Its leaf hash in the Merkle tree, in hexadecimal.")

    def to_representation(self, event: Event) -> dict[str, Any]:
        return {
            **event.content,
            "recorded_at": event.recorded_at.isoformat().replace("+00:00", "Z"),
            "db_user": event.db_user,
            "leaf": bytes(event.leaf).hex(),
        }


class ForAuditors(APIView):
    """404 for everybody else: they may not know what is here."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not self.may_know(request):
            raise NotFound("There is nothing at this address, or you may not know of it.")

    def may_know(self, request: Request) -> bool:
        return bool(request.actor.holds_everywhere("audit"))


class EventViewSet(ForAuditors, viewsets.ReadOnlyModelViewSet):
    """Events, newest first."""

    serializer_class = EventSerializer
    ordering = "-id"
    queryset = Event.objects.none()

    def get_queryset(self) -> QuerySet[Event]:
        return filtered(Event.objects.visible_to(self.request.actor), self.request.query_params)

    def get_object(self) -> Event:
        event = Event.objects.visible_to(self.request.actor).keyed(self.kwargs["pk"]).first()
        if event is None:
            raise NotFound("There is no such event.")
        return event

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return item(request, self.get_serializer(self.get_object()).data)

    @extend_schema(
        parameters=[
            OpenApiParameter(name, str)
            for name in ("action", "actor", "outcome", "object_type", "object_id", "from", "to")
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


class CheckpointView(ForAuditors):
    """The newest signed tree head and the keys that verify it."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        newest, state = tree.last_checkpoint(), tree.chain_state()
        return Response(
            {
                "tree_size": newest.tree_size,
                "root": bytes(newest.root).hex(),
                "note": newest.note,
                "public_keys": tree.public_keys(),
                "unsealed": state.waiting,
            }
        )


class InclusionView(ForAuditors):
    """Whether an event is in the tree; one that is not sealed yet is 409."""

    conflicting_reads = ("get",)

    @extend_schema(parameters=[OpenApiParameter("event", str, required=True)], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        key = storable_text(request.query_params.get("event", ""), "event", 36)
        if not key:
            raise Invalid("event must be the id of an event.", field="event", allowed="an event's id")
        return Response(tree.inclusion_proof(key))


class ConsistencyView(ForAuditors):
    @extend_schema(
        parameters=[OpenApiParameter("from", int, required=True), OpenApiParameter("to", int)],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        newest = tree.last_checkpoint().tree_size
        earlier = _whole(request.query_params.get("from"), "from", newest)
        later = _whole(request.query_params.get("to", str(newest)), "to", newest)
        return Response(tree.consistency_proof(earlier, later))


def _whole(value: str | None, field: str, most: int) -> int:
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 18:
        raise Invalid(f"{field} must be a whole number of 1 to {most}.", field=field, allowed=f"1 to {most}")
    return int(value)


class ExportSerializer(serializers.ModelSerializer):
    class Meta:
        model = Export
        fields = (
            "id", "title", "format", "selection", "status", "events", "tree_size", "digest", "size", "verdict",
            "failure", "requested_by_name", "created_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields


class NewExportSerializer(Body):
    format = TextField()
    title = TextField(required=False, allow_blank=True, default="")
    objects = serializers.ListField(
        child=serializers.ListField(child=TextField(), min_length=2, max_length=2),
        required=False,
        default=list,
        max_length=1000,
    )

    def get_fields(self) -> dict[str, serializers.Field]:
        times = {"from": TextField(required=False), "to": TextField(required=False)}
        return {**super().get_fields(), **times}


class ExportViewSet(ForAuditors, IdempotentPosts, mixins.CreateModelMixin, viewsets.ReadOnlyModelViewSet):
    """Exports of the ledger: ask, see how it goes, download."""

    conflicting_reads = ("file",)

    serializer_class = ExportSerializer
    queryset = Export.objects.none()

    def may_know(self, request: Request) -> bool:
        """Who asks for an export is refused in words, and in the ledger; of what there is they learn nothing."""
        return request.method == "POST" or super().may_know(request)

    def get_queryset(self) -> QuerySet[Export]:
        return Export.objects.visible_to(self.request.actor)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return item(request, self.get_serializer(self.get_object()).data)

    @extend_schema(request=NewExportSerializer, responses={202: ExportSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Made by a worker; asked for again within ten seconds, the export asked for first answers."""
        asked = NewExportSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        selection = Selection(
            moment(wanted.get("from"), "from"),
            moment(wanted.get("to"), "to"),
            tuple((kind, key) for kind, key in wanted["objects"]),
        )
        export = exports.request_export(
            actor=request.actor, format=wanted["format"], selection=selection, title=wanted["title"]
        )
        export.refresh_from_db()
        place = request.build_absolute_uri(f"/api/v1/audit/exports/{export.pk}/")
        return Response(self.get_serializer(export).data, status=202, headers={"Location": place})

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def file(self, request: Request, pk: str | None = None) -> FileResponse:
        return file_of(self.get_object(), request.actor)


def file_of(export: Export, actor: Any) -> FileResponse:
    """The export as a download, noted in the ledger."""
    exports.note_download(actor=actor, export=export)
    return FileResponse(
        store().open(export.digest),
        as_attachment=True,
        filename=export.file_name,
        content_type="application/octet-stream",
        headers={
            "Content-Security-Policy": "sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
