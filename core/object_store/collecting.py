"""Deleting objects that no row names any more, long after they were stored.

Whatever looks like a digest in any table keeps its object: a column of 64 characters, and what
packages add that keep digests elsewhere. One too many costs space; one too few costs a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import models

from core.object_store.interface import DIGEST, ObjectStore

Namer = Callable[[], Iterable[str]]

LENGTH = 64
ROWS_AT_ONCE = 10_000
FILTER_BITS = 1 << 27

_namers: dict[str, Namer] = {}


@dataclass
class Collected:
    """What one round saw and did; bytes of what was deleted."""

    objects: int = 0
    deleted: int = 0
    bytes: int = 0


class SeenDigests:
    """Which digests were seen, in 16 MB however many they are.

    A Bloom filter whose hash functions are slices of the digest itself: a digest that was seen is
    always found; one of some thousands that was not is taken for seen, and stays.
    """

    def __init__(self) -> None:
        self._bits = bytearray(FILTER_BITS // 8)

    def add(self, digest: str) -> None:
        for place in self._places(digest):
            self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, digest: str) -> bool:
        return all(self._bits[place >> 3] & 1 << (place & 7) for place in self._places(digest))

    @staticmethod
    def _places(digest: str) -> Iterator[int]:
        return (int(digest[start : start + 8], 16) % FILTER_BITS for start in (0, 16, 32, 48))


def names_objects(package: str, namer: Namer) -> None:
    """Keep what ``namer`` yields; for digests inside JSON. Call from ``AppConfig.ready``."""
    _namers[package] = namer


def collect(store: ObjectStore, before: datetime, check: Callable[[], None]) -> Collected:
    """Delete what was stored before that moment and is named by nothing."""
    seen = SeenDigests()
    for number, digest in enumerate(named_digests()):
        if DIGEST.match(digest):
            seen.add(digest)
        if number % ROWS_AT_ONCE == 0:
            check()
    found = Collected()
    for each in store.objects():
        found.objects += 1
        if found.objects % 1000 == 0:
            check()
        is_old = each.stored_at < before and DIGEST.match(each.digest)
        if is_old and each.digest not in seen and store.discard(each.digest, before):
            found.deleted += 1
            found.bytes += each.size
    return found


def named_digests() -> Iterator[str]:
    """Every text of 64 characters that a table holds, and what packages name besides."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, models.CharField) and field.max_length == LENGTH:
                yield from _values(model, field.attname)
    for namer in _namers.values():
        yield from namer()


def _values(model: Any, name: str) -> Iterator[str]:
    rows = model._base_manager.exclude(**{f"{name}__isnull": True}).exclude(**{name: ""})
    return rows.values_list(name, flat=True).iterator(chunk_size=ROWS_AT_ONCE)
