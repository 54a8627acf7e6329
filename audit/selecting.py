"""Which events an export holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from core.errors import Invalid

CHUNK = 2000
ENDORSEMENT = "audit.export_key_created"
COLUMNS = """
    SELECT seal.seq, audit.moment(event.recorded_at), event.db_user, event.body, event.leaf
    FROM audit.seal JOIN audit.event ON event.id = seal.event_id
"""
OBJECT = "(event.fields #>> '{object,type}', event.fields #>> '{object,id}')"


@dataclass(frozen=True)
class Selection:
    """A period (UTC, end excluded), a list of objects, both, or everything."""

    since: datetime | None = None
    until: datetime | None = None
    objects: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.since and self.until and self.until <= self.since:
            raise Invalid(
                f"to must be later than from: nothing lies between {_utc(self.since)} and {_utc(self.until)}.",
                field="to",
                allowed=f"a time after {_utc(self.since)}",
            )

    @property
    def is_complete(self) -> bool:
        """Everything: then an omission shows, because the tree is rebuilt from the export itself."""
        return self.since is None and self.until is None and not self.objects

    def as_json(self) -> dict[str, Any]:
        """As the manifest states it."""
        stated: dict[str, Any] = {}
        if self.since:
            stated["from"] = _utc(self.since)
        if self.until:
            stated["to"] = _utc(self.until)
        if self.objects:
            stated["objects"] = [list(each) for each in self.objects]
        return stated

    @classmethod
    def from_json(cls, stated: dict[str, Any]) -> Selection:
        objects = tuple((str(kind), str(key)) for kind, key in stated.get("objects", []))
        return cls(moment(stated.get("from"), "from"), moment(stated.get("to"), "to"), objects)

    def rows(self, tree_size: int) -> Iterator[tuple[int, str, str, str, bytes]]:
        """The sealed events in the tree of this size, in order; constant memory."""
        where: list[str] = ["seal.seq < %s"]
        values: list[Any] = [tree_size]
        narrow, narrow_values = self._condition()
        if narrow:
            where.append(f"(({narrow}) OR event.fields ->> 'action' = %s)")
            values += [*narrow_values, ENDORSEMENT]
        query = f"{COLUMNS} WHERE {' AND '.join(where)} ORDER BY seal.seq"
        with transaction.atomic(), connection.chunked_cursor() as cursor:
            cursor.execute(query, values)
            while rows := cursor.fetchmany(CHUNK):
                yield from rows

    def _condition(self) -> tuple[str, list[Any]]:
        words: list[str] = []
        values: list[Any] = []
        if self.since:
            words.append("event.recorded_at >= %s")
            values.append(self.since)
        if self.until:
            words.append("event.recorded_at < %s")
            values.append(self.until)
        if self.objects:
            words.append(f"{OBJECT} IN ({', '.join(['(%s, %s)'] * len(self.objects))})")
            values += [word for each in self.objects for word in each]
        return " AND ".join(words), values


def moment(value: Any, field: str) -> datetime | None:
    """An RFC 3339 time or a date (midnight UTC); Invalid names the field."""
    if value in (None, ""):
        return None
    try:
        if not isinstance(value, str):
            raise ValueError
        found = datetime.fromisoformat(value)
    except ValueError:
        raise Invalid(
            f"{field} must be a date or a time such as 2013-04-26 or 2013-04-26T14:00:00Z.",
            field=field,
            allowed="RFC 3339 time",
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
