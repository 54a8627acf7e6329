"""Where data set versions may be read from, and who may read there."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.grants import AccountGrant, GroupGrant, granted_by_name, is_granted
from core.actors import Actor
from core.identifiers import new_id


class SourceAccountGrant(AccountGrant):
    """The use of one source, given to a person."""

    content_object = models.ForeignKey(
        "pipelines_sources.Source", on_delete=models.CASCADE, db_index=False, related_name="account_grants"
    )

    class Meta(AccountGrant.Meta):
        indexes = [models.Index(fields=["content_object", "permission"], name="account_grants_of_source")]

    def __str__(self) -> str:
        return f"{self.permission.codename} on {self.content_object} to {self.user}"


class SourceGroupGrant(GroupGrant):
    """The use of one source, given to a group."""

    ON = "source"

    content_object = models.ForeignKey(
        "pipelines_sources.Source", on_delete=models.CASCADE, db_index=False, related_name="group_grants"
    )

    class Meta(GroupGrant.Meta):
        indexes = [models.Index(fields=["content_object", "permission"], name="group_grants_of_source")]

    def __str__(self) -> str:
        return f"{self.permission.codename} on {self.content_object} to {self.group}"


class SourceQuerySet(models.QuerySet["Source"]):
    def visible_to(self, actor: Actor) -> SourceQuerySet:
        """All for who administers or audits everything; else only what the actor may use."""
        if actor.holds_everywhere("administer") or actor.holds_everywhere("audit"):
            return self
        return self.granted_to(actor)

    def granted_to(self, actor: Actor) -> SourceQuerySet:
        """Those that somebody lets the actor read from."""
        return self.filter(granted_by_name(actor, "register", SourceAccountGrant, SourceGroupGrant))


class Source(models.Model):
    """A database, or a part of an S3 bucket, that people read data set versions from by its name.

    Rows hold no secret: a database's address and a bucket's keys are in the environment, found by
    the source's name and by ``credentials``.
    """

    class Kind(models.TextChoices):
        SQL = "sql", "Database"
        S3 = "s3", "S3 prefix"

    class Addressing(models.TextChoices):
        PATH = "path", "In the path"
        VIRTUAL = "virtual", "In the host name"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=63)
    kind = models.CharField(max_length=3, choices=Kind.choices)
    description = models.CharField(max_length=1000, blank=True, default="")
    endpoint = models.CharField(max_length=300, blank=True, default="")
    bucket = models.CharField(max_length=63, blank=True, default="")
    prefix = models.CharField(max_length=500, blank=True, default="")
    region = models.CharField(max_length=32, blank=True, default="")
    addressing = models.CharField(max_length=7, choices=Addressing.choices, default=Addressing.PATH)
    credentials = models.CharField(max_length=63, blank=True, default="")
    created_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    objects = SourceQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("register", "May read data set versions from it")]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="one_source_per_name"),
            models.CheckConstraint(
                condition=~Q(kind="s3") | (~Q(endpoint="") & ~Q(bucket="")),
                name="an_s3_source_names_endpoint_and_bucket",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_s3(self) -> bool:
        return self.kind == self.Kind.S3

    def is_granted_to(self, actor: Actor, right: str) -> bool:
        """Whether a grant on this source, to the person or a group, gives the right now."""
        return is_granted(actor, right, self, SourceAccountGrant, SourceGroupGrant)


def grants_on(source: Source) -> list[SourceAccountGrant | SourceGroupGrant]:
    """Who may use a source, people before groups."""
    related = ("granted_by", "content_object")
    to_accounts = SourceAccountGrant.objects.filter(content_object=source).select_related(
        "user__person", *related
    )
    to_groups = SourceGroupGrant.objects.filter(content_object=source).select_related("group", *related)
    return [*to_accounts.order_by("user__username"), *to_groups.order_by("group__name")]
