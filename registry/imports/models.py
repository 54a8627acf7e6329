"""What came from which server: an import that is run again looks here first."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from registry.models import BYTEWISE, ModelVersion, RegisteredModel
from registry.names import LONGEST_NAME

LONGEST_SERVER = 500


class ImportedModel(models.Model):
    """A registered model that came from a server; ``aliases`` are those brought or found in place.

    They are remembered so that one that was removed here later does not come back.
    """

    server = models.CharField(max_length=LONGEST_SERVER)
    name = models.CharField(max_length=LONGEST_NAME, db_collation=BYTEWISE)
    model = models.OneToOneField(RegisteredModel, on_delete=models.CASCADE, related_name="origin")
    aliases = models.JSONField(default=list)
    imported_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["server", "name"], name="a_model_comes_once_from_a_server"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.server}"


class ImportedVersion(models.Model):
    """A version that came with it, under the number it has on the server."""

    home = models.ForeignKey(ImportedModel, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    version = models.OneToOneField(ModelVersion, on_delete=models.CASCADE, related_name="origin")
    imported_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["home", "number"], name="a_version_comes_once_from_a_server"),
        ]

    def __str__(self) -> str:
        return f"version {self.number} of {self.home}"
