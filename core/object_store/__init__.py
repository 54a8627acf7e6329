"""Bytes under their SHA-256: artifacts, data set versions, segments and exports.

``store()`` is the one way to them; nothing above this package knows whether they are in a folder
or in S3.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from django.conf import settings

from core.object_store.folder import FolderStore
from core.object_store.interface import (
    CHUNK,
    ListedObject,
    LocalFiles,
    ObjectMissing,
    ObjectStore,
    StoredObject,
)

S3_SCHEME = "s3://"

__all__ = [
    "CHUNK",
    "FolderStore",
    "ListedObject",
    "LocalFiles",
    "ObjectMissing",
    "ObjectStore",
    "StoredObject",
    "store",
]


def store() -> ObjectStore:
    """The installation's object store (ARTIFACT_ROOT)."""
    root = settings.ARTIFACT_ROOT
    if root.startswith(S3_SCHEME):
        # boto3 costs 30 MB; whoever keeps bytes in a folder never loads it.
        made: ObjectStore = import_module("core.object_store.s3").store_at(root)
        return made
    return FolderStore(Path(root))
