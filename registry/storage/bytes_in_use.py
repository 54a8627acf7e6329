"""Which objects versions name, and how many bytes a model keeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from core.errors import TooLarge
from core.hot_reads import fetch_row
from registry.models import ModelVersion, RegisteredModel
from registry.storage.models import ModelQuota

FILES = """
SELECT file->>'sha256' FROM registry_modelversion, jsonb_array_elements(manifest) AS file
WHERE deleted_at IS NULL OR deleted_at > %s
"""
HAS_QUOTA = "SELECT 1 FROM registry_storage_modelquota WHERE model_id = %s"
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class BytesInUse:
    """What a model keeps and may keep; ``quota`` is None where nothing limits it."""

    used: int
    versions: int
    quota: int | None
    is_own: bool

    @property
    def left(self) -> int | None:
        return None if self.quota is None else max(0, self.quota - self.used)

    @property
    def share(self) -> float | None:
        return None if not self.quota else self.used / self.quota


class Allowance:
    """How large a new version of a model may become, asked as its files come in."""

    def __init__(self, model: RegisteredModel) -> None:
        self.model, self.largest = model, settings.REGISTRY_LARGEST_VERSION_BYTES
        self.now = bytes_in_use(model)

    def check(self, size: int, *, under_way: int = 0) -> None:
        """TooLarge once a version of ``size`` bytes does not fit, beside what is being sent already."""
        if size > self.largest:
            raise TooLarge(
                f"The source is larger than {self.largest} bytes, the most a version may be.",
                field="source",
                allowed=self.largest,
            )
        left = None if self.now.left is None else max(0, self.now.left - under_way)
        if left is not None and (size > left or left == 0):
            raise TooLarge(
                f"{self.model} may keep {self.now.quota} bytes and keeps {self.now.used} in"
                f" {self.now.versions} versions{f' and {under_way} in uploads under way' if under_way else ''},"
                f" so that {left} are left. Delete versions that nobody"
                f" needs, or have its quota raised.",
                code="quota_exceeded",
                field="source",
                allowed=left,
            )


def bytes_in_use(model: RegisteredModel) -> BytesInUse:
    """Bytes of its versions that exist; a file that two versions share counts for both."""
    own = ModelQuota.objects.filter(model=model).values_list("bytes", flat=True).first()
    kept = ModelVersion.objects.existing().filter(model=model, digest__gt="")
    total = kept.aggregate(used=Sum("size", default=0), versions=Count("pk"))
    quota = own if own is not None else settings.REGISTRY_MODEL_QUOTA_BYTES or None
    return BytesInUse(int(total["used"]), int(total["versions"]), quota, own is not None)


def require_some_room(model: RegisteredModel) -> None:
    """Refuse before anything is copied where nothing fits at all."""
    if settings.REGISTRY_MODEL_QUOTA_BYTES or fetch_row(HAS_QUOTA, [model.pk]):
        Allowance(model).check(0)


def named_by_manifests() -> Iterator[str]:
    """Files of versions that exist, or were deleted so recently that the deletion may be regretted."""
    kept_since = timezone.now() - timedelta(days=settings.UNREFERENCED_KEPT_DAYS)
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(FILES, [kept_since])
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from (digest for (digest,) in rows)
