"""Changing stored bytes behind the product's back, as somebody with access to the store could."""

from core.object_store import store
from core.object_store.interface import place_of


def overwrite(digest: str, content: bytes = b"evil") -> None:
    """Put other bytes where the object of this digest is."""
    objects = store()
    if hasattr(objects, "root"):
        place = objects.root / place_of(digest)
        place.chmod(0o640)
        place.write_bytes(content)
    else:
        objects.client.put_object(Body=content, **objects._at(place_of(digest)))


def remove(digest: str) -> None:
    """Take the object away."""
    objects = store()
    if hasattr(objects, "root"):
        (objects.root / place_of(digest)).unlink()
    else:
        objects.client.delete_object(**objects._at(place_of(digest)))


def age(digest: str, days: float) -> None:
    """Let a folder's object have been stored that many days ago."""
    import os
    import time

    then = time.time() - days * 86_400
    os.utime(store().root / place_of(digest), (then, then))


def digest_in(version, path: str = "model.pkl") -> str:
    """The digest of one file of a version."""
    return next(entry["sha256"] for entry in version.manifest if entry["path"] == path)
