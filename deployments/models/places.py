"""Where versions run: environments, targets and endpoints."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from registry.models import RegisteredModel


class Environment(models.Model):
    """A place with its own rules: ``staging`` is free, ``production`` needs a clearance."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.SlugField(max_length=40, unique=True)
    is_protected = models.BooleanField(default=True)
    alias = models.CharField(max_length=255, blank=True, default="")
    description = models.CharField(max_length=200, blank=True, default="")
    order = models.PositiveSmallIntegerField(default=100)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        ordering = ["order", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["alias"], condition=~Q(alias=""), name="one_environment_per_alias"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Target(models.Model):
    """Where models run. ``local`` is this host: its agent says when it last looked."""

    class Kind(models.TextChoices):
        LOCAL = "local", "This host"
        KUBERNETES = "kubernetes", "Kubernetes"
        SAGEMAKER = "sagemaker", "SageMaker"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.SlugField(max_length=40, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.LOCAL)
    agent = models.CharField(max_length=100, blank=True, default="")
    agent_seen_at = models.DateTimeField(null=True)
    sandbox = models.CharField(max_length=20, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def visible_to(self, actor: Actor) -> EndpointQuerySet:
        return self.filter(model__in=RegisteredModel.objects.visible_to(actor))

    def in_lists(self) -> EndpointQuerySet:
        return self.select_related("model", "environment", "target", "live__version")


class Endpoint(models.Model):
    """The stable address of a model in an environment; ``live`` is the truth of what answers.

    ``fence`` grows with every deployment and rollback: what carries an older one is refused.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.PROTECT, related_name="endpoints")
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="endpoints")
    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="endpoints")
    live = models.ForeignKey("Deployment", on_delete=models.PROTECT, null=True, related_name="+")
    fence = models.PositiveBigIntegerField(default=0)
    event_time_column = models.CharField(max_length=200, blank=True, default="")
    rev = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    objects = EndpointQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["model", "environment"], name="one_endpoint_per_model_and_environment"
            )
        ]
        indexes = [models.Index(F("created_at").desc(), name="endpoint_newest_first")]

    def __str__(self) -> str:
        return f"{self.model.name} in {self.environment.name}"

    @property
    def path(self) -> str:
        """Below the gateway's address."""
        return f"/endpoints/{self.environment.name}/{self.model.name}/invocations"

    def is_granted_to(self, actor: Actor, right: str) -> bool:
        return self.model.is_granted_to(actor, right)
