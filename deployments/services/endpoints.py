"""Stable addresses."""

from __future__ import annotations

from django.db.models import F

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, NotAllowed, PreconditionFailed
from core.etags import etag_of
from deployments import rights
from deployments.event_times import checked_event_time_column
from deployments.locks import locked_endpoint
from deployments.models import Endpoint, Environment, Target
from deployments.notices import announce
from registry.models import RegisteredModel


@command
def create_endpoint(
    *,
    actor: Actor,
    model: RegisteredModel,
    environment: Environment,
    target: Target | None = None,
    event_time_column: str = "",
) -> Endpoint:
    """Give a model its address in an environment."""
    _require(actor, model, environment)
    column = checked_event_time_column(model, event_time_column)
    if Endpoint.objects.filter(model=model, environment=environment).exists():
        raise Conflict(f"{model} has an endpoint in {environment} already.", code="endpoint_exists")
    return _create(actor, model, environment, target, column)


@command
def ensure_endpoint(*, actor: Actor, model: RegisteredModel, environment: Environment) -> Endpoint:
    """The model's endpoint in the environment, made now if it has none."""
    known = Endpoint.objects.in_lists().filter(model=model, environment=environment).first()
    if known is not None:
        return known
    _require(actor, model, environment)
    return _create(actor, model, environment, None, "")


@command
def update_endpoint(
    *, actor: Actor, endpoint: Endpoint, event_time_column: str, expected_etag: str | None = None
) -> Endpoint:
    """Name the input column that says when the predicted thing happens."""
    _require(actor, endpoint.model, endpoint.environment)
    column = checked_event_time_column(endpoint.model, event_time_column)
    row = locked_endpoint(endpoint)
    if expected_etag is not None and expected_etag != endpoint_etag(row):
        raise PreconditionFailed(f"{row} has changed since you read it.")
    before = {"event_time_column": row.event_time_column}
    Endpoint.objects.filter(pk=row.pk).update(event_time_column=column, rev=F("rev") + 1)
    row.refresh_from_db(fields=["event_time_column", "rev"])
    record(
        actor=actor,
        action="deployments.endpoint_updated",
        target=row,
        before=before,
        after={"event_time_column": column},
    )
    announce()
    return row


def endpoint_etag(endpoint: Endpoint) -> str:
    return etag_of("endpoint", endpoint.pk, endpoint.rev, endpoint.fence, endpoint.live_id)


def _create(
    actor: Actor, model: RegisteredModel, environment: Environment, target: Target | None, column: str
) -> Endpoint:
    endpoint, is_new = Endpoint.objects.get_or_create(
        model=model,
        environment=environment,
        defaults={
            "target": target or Target.objects.get(name="local"),
            "event_time_column": column,
            "created_by_id": actor.account_id,
        },
    )
    if is_new:
        after = {"environment": environment.name, "target": endpoint.target.name, "event_time_column": column}
        record(actor=actor, action="deployments.endpoint_created", target=endpoint, after=after)
        announce()
    endpoint.refresh_from_db()
    return endpoint


def _require(actor: Actor, model: RegisteredModel, environment: Environment) -> None:
    if not rights.may_create_endpoint(actor, model):
        raise NotAllowed(
            f"You may not set up endpoints of {model} in {environment}; it needs the right to deploy."
        )
