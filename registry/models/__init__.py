"""Registered models, their versions, aliases, tags and lineage."""

from registry.models.pointers import ALWAYS_PROTECTED, ModelAlias, ModelTag, ProtectedAlias, VersionTag
from registry.models.registered import BYTEWISE, RegisteredModel, RegisteredModelQuerySet
from registry.models.versions import ModelVersion, ModelVersionQuerySet, VersionDataset

__all__ = [
    "ALWAYS_PROTECTED",
    "BYTEWISE",
    "ModelAlias",
    "ModelTag",
    "ModelVersion",
    "ModelVersionQuerySet",
    "ProtectedAlias",
    "RegisteredModel",
    "RegisteredModelQuerySet",
    "VersionDataset",
    "VersionTag",
]
