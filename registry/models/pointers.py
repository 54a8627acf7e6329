"""Names and notes that point at models and versions: aliases and tags."""

from __future__ import annotations

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models.functions import Now

from registry.models.registered import BYTEWISE, RegisteredModel
from registry.models.versions import ModelVersion
from registry.names import LONGEST_ALIAS

# Aliases that follow a protected environment whatever the table says.
ALWAYS_PROTECTED = frozenset({"champion"})


# Where a unique constraint begins with a foreign key, it is the index of that key, too.
class ModelAlias(models.Model):
    """A name that points at one version of a model."""

    model = models.ForeignKey(
        RegisteredModel, on_delete=models.CASCADE, db_index=False, related_name="aliases"
    )
    name = models.CharField(max_length=LONGEST_ALIAS, db_collation=BYTEWISE)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="aliases")
    set_by_name = models.CharField(max_length=150, blank=True, default="")
    set_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="one_version_per_alias")]

    def __str__(self) -> str:
        return f"{self.model.name}@{self.name}"


class ProtectedAlias(models.Model):
    """An alias name that moves only with an approval; see ``is_protected_alias``."""

    name = models.CharField(max_length=LONGEST_ALIAS, unique=True, db_collation=BYTEWISE)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A key and a value that people and clients attach."""

    key = models.CharField(max_length=250, db_collation=BYTEWISE)
    value = models.TextField(blank=True, default="")

    class Meta:
        abstract = True


class ModelTag(Tag):
    """A tag of a registered model."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, db_index=False, related_name="tags")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["model", "key"], name="one_value_per_model_tag")]
        indexes = [
            models.Index(fields=["key", "model"], name="model_by_tag_key"),
            HashIndex(fields=["value"], name="model_by_tag_value"),
        ]

    def __str__(self) -> str:
        return self.key


class VersionTag(Tag):
    """A tag of a model version."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, db_index=False, related_name="tags")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="one_value_per_version_tag")]
        indexes = [
            models.Index(fields=["key", "version"], name="version_by_tag_key"),
            HashIndex(fields=["value"], name="version_by_tag_value"),
        ]

    def __str__(self) -> str:
        return self.key
