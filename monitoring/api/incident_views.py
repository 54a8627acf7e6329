"""REST: alert rules, alerts and incidents."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.sight import require_sight
from core.api.openapi import choice, text
from core.api.views import IdempotentPosts, require_match
from core.errors import Invalid
from monitoring.api.serializers import (
    AlertRuleSerializer,
    AlertSerializer,
    CommentSerializer,
    IncidentInFullSerializer,
    IncidentSerializer,
    PostMortemSerializer,
    ResolutionSerializer,
    TimelineEntrySerializer,
)
from monitoring.incidents import services
from monitoring.incidents.models import Alert, AlertRule, Incident
from monitoring.lookups import find_endpoint, find_incident, find_rule


class OfModel(GenericAPIView):
    """``?model=`` narrows a list to one model."""

    model_path = "model__name"
    query_parameters: tuple[Any, ...] = (text("model"),)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if name := self.request.query_params.get("model"):
            queryset = queryset.filter(**{self.model_path: name.replace("\x00", "")})
        return queryset


class AlertRuleViewSet(IdempotentPosts, OfModel, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/alert-rules`` and ``/alert-rules/{id}``."""

    serializer_class = AlertRuleSerializer
    model_path = "endpoint__model__name"

    def get_queryset(self) -> QuerySet[AlertRule]:
        require_sight(self.request.actor)
        rules = AlertRule.objects.visible_to(self.request.actor).filter(retired_at__isnull=True)
        return rules.select_related("endpoint__model", "endpoint__environment")

    def create(self, request: Request) -> Response:
        """``model`` and ``environment`` say where; the other fields are the rule's."""
        given = _table(request.data)
        for name in ("model", "environment"):
            if not isinstance(given.get(name), str):
                raise Invalid(f"{name} must name one.", field=name, allowed="text")
        endpoint = find_endpoint(request, given.pop("environment"), given.pop("model"))
        rule = services.create_rule(actor=request.actor, endpoint=endpoint, rule=given)
        return self._answer(rule, status=201, headers={"Location": f"/api/v1/alert-rules/{rule.pk}"})

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(find_rule(request, pk))

    def partial_update(self, request: Request, pk: str) -> Response:
        rule = find_rule(request, pk)
        etag = services.rule_etag(rule)
        require_match(request, etag)
        changed = services.update_rule(
            actor=request.actor, rule=rule, changes=_table(request.data), expected_etag=etag
        )
        return self._answer(changed)

    def destroy(self, request: Request, pk: str) -> Response:
        rule = find_rule(request, pk)
        etag = services.rule_etag(rule)
        require_match(request, etag)
        services.retire_rule(actor=request.actor, rule=rule, expected_etag=etag)
        return Response(status=204)

    def _answer(self, rule: AlertRule, **about: Any) -> Response:
        about.setdefault("headers", {})["ETag"] = services.rule_etag(rule)
        return Response(AlertRuleSerializer(rule).data, **about)


class AlertViewSet(OfModel, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/alerts``; ``?firing=true`` leaves out the cleared ones."""

    serializer_class = AlertSerializer
    query_parameters = (text("model"), choice("firing", ["true", "false"]))
    ordering = "-fired_at"
    model_path = "rule__endpoint__model__name"

    def get_queryset(self) -> QuerySet[Alert]:
        require_sight(self.request.actor)
        alerts = Alert.objects.visible_to(self.request.actor)
        if self.request.query_params.get("firing") == "true":
            alerts = alerts.firing()
        return alerts.select_related(
            "rule__endpoint__model", "rule__endpoint__environment", "version__model"
        ).defer("version__manifest", "version__requirements", "version__signature", "version__flavours")


class IncidentViewSet(IdempotentPosts, OfModel, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/incidents`` and ``/incidents/{id}``; ``?status=`` narrows."""

    serializer_class = IncidentSerializer
    query_parameters = (text("model"), choice("status", Incident.Status.values))
    revision_parameter_of = ("acknowledge", "resolve")
    whole_lists = ("post_mortems",)
    ordering = "-opened_at"

    def get_queryset(self) -> QuerySet[Incident]:
        require_sight(self.request.actor)
        incidents = Incident.objects.visible_to(self.request.actor).in_lists()
        status = self.request.query_params.get("status")
        if status and status not in Incident.Status.values:
            allowed = ", ".join(Incident.Status.values)
            raise Invalid(f"status must be one of: {allowed}.", field="status", allowed=allowed)
        return incidents.filter(status=status) if status else incidents

    @extend_schema(responses=IncidentInFullSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(find_incident(request, pk), is_whole=True)

    @extend_schema(request=None, responses=IncidentSerializer)
    def acknowledge(self, request: Request, pk: str) -> Response:
        incident = find_incident(request, pk)
        return self._answer(
            services.acknowledge(actor=request.actor, incident=incident, expected_etag=_seen(request))
        )

    @extend_schema(request=ResolutionSerializer, responses=IncidentSerializer)
    def resolve(self, request: Request, pk: str) -> Response:
        incident = find_incident(request, pk)
        words = _given(request, "resolution")
        done = services.resolve(
            actor=request.actor, incident=incident, resolution=words, expected_etag=_seen(request)
        )
        return self._answer(done)

    @extend_schema(request=CommentSerializer, responses={201: IncidentSerializer})
    def comment(self, request: Request, pk: str) -> Response:
        incident = find_incident(request, pk)
        services.comment(actor=request.actor, incident=incident, text=_given(request, "text"))
        return self._answer(find_incident(request, pk), status=201)

    @extend_schema(request=PostMortemSerializer, responses={201: PostMortemSerializer})
    def write_post_mortem(self, request: Request, pk: str) -> Response:
        """A new revision; ``revision``, if sent, is the newest one the writer saw (0 for none)."""
        incident, given = find_incident(request, pk), _table(request.data)
        seen = given.pop("revision", None)
        if seen is not None and (isinstance(seen, bool) or not isinstance(seen, int)):
            raise Invalid("revision must be a whole number.", field="revision", allowed="a whole number")
        kept = services.write_post_mortem(
            actor=request.actor, incident=incident, post_mortem=given, expected_revision=seen
        )
        return Response(PostMortemSerializer(kept).data, status=201)

    @extend_schema(responses=PostMortemSerializer(many=True))
    def post_mortems(self, request: Request, pk: str) -> Response:
        """Every revision, the newest first."""
        rows = find_incident(request, pk).post_mortems.order_by("-revision")
        return Response({"items": PostMortemSerializer(rows, many=True).data, "next": None, "previous": None})

    def _answer(self, incident: Incident, *, is_whole: bool = False, **about: Any) -> Response:
        body = dict(IncidentSerializer(incident).data)
        if is_whole:
            related = incident.alerts.select_related(
                "rule__endpoint__model", "rule__endpoint__environment", "version"
            )
            body["alerts"] = AlertSerializer(related.order_by("fired_at"), many=True).data
            body["timeline"] = TimelineEntrySerializer(incident.timeline.all(), many=True).data
        about.setdefault("headers", {})["ETag"] = services.incident_etag(incident)
        return Response(body, **about)


def _seen(request: Request) -> str | None:
    """If-Match is heeded where it is sent: acknowledging twice is a conflict anyway."""
    sent = request.headers.get("If-Match")
    return None if sent in (None, "*") else sent


def _table(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Invalid("Send an object of names and values.", field="body", allowed="an object")
    return dict(body)


def _given(request: Request, name: str) -> Any:
    given = _table(request.data)
    if unknown := sorted(str(other)[:60] for other in given.keys() - {name}):
        raise Invalid(f"{unknown[0]} is not known here.", field=unknown[0], allowed=name)
    return given.get(name)
