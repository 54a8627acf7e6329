"""What the server answers, as typed records. Fields a newer server adds are in ``raw``."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, TypeVar

R = TypeVar("R", bound="Record")


@dataclass(frozen=True, kw_only=True)
class Record:
    """Built by ``of``: known fields typed, times with a zone, everything as sent in ``raw``."""

    inner: ClassVar[dict[str, type[Record]]] = {}
    raw: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    etag: str | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls: type[R], body: dict[str, Any], etag: str | None = None) -> R:
        names = {each.name for each in fields(cls)} - {"raw", "etag"}
        known = {name: cls._read(name, value) for name, value in body.items() if name in names}
        return cls(raw=body, etag=etag, **known)

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        if name.endswith(("_at", "_from", "_to")) and isinstance(value, str):
            return datetime.fromisoformat(value.replace("Z", "+00:00"))
        if name in cls.inner and isinstance(value, list):
            return [cls.inner[name].of(each) for each in value]
        if name in cls.inner and isinstance(value, dict):
            return cls.inner[name].of(value)
        return value


@dataclass(frozen=True, kw_only=True)
class Me(Record):
    account: str = ""
    person: str = ""
    roles: list[str] = field(default_factory=list)
    rights: list[str] = field(default_factory=list)
    token: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Model(Record):
    name: str = ""
    id: str = ""
    description: str = ""
    tier: str = ""
    owner: dict[str, Any] | None = None
    on_call: dict[str, Any] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    latest_version: int | None = None
    created_at: datetime | None = None
    last_updated_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ModelVersion(Record):
    model: str = ""
    version: int = 0
    id: str = ""
    status: str = ""
    status_message: str = ""
    aliases: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    description: str = ""
    source: str = ""
    run_id: str = ""
    digest: str = ""
    size: int | None = None
    file_count: int | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    flavours: Any = None
    signature: Any = None
    requirements: Any = None
    code_commit: str = ""
    holdout: Any = None
    format_warning: str = ""
    integrity_failure: str = ""
    created_by: str | None = None
    created_at: datetime | None = None
    ready_at: datetime | None = None
    verified_at: datetime | None = None
    job: str | None = None

    @property
    def is_ready(self) -> bool:
        return self.status == "READY"


@dataclass(frozen=True, kw_only=True)
class File(Record):
    path: str = ""
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Alias(Record):
    name: str = ""
    version: int = 0
    digest: str = ""
    set_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Dataset(Record):
    name: str = ""
    description: str = ""
    owner: str | None = None
    event_time_column: str = ""
    time_zone: str = ""
    key_columns: list[str] = field(default_factory=list)
    label_column: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Check(Record):
    id: str = ""
    version: int = 0
    revision: int = 0
    status: str = ""
    results: Any = None
    checked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DatasetVersion(Record):
    inner: ClassVar[dict[str, type[Record]]] = {"check": Check}
    dataset: str = ""
    version: int = 0
    id: str = ""
    label: str = ""
    status: str = ""
    failure: str = ""
    digest: str = ""
    size: int | None = None
    rows: int | None = None
    event_time_from: datetime | None = None
    event_time_to: datetime | None = None
    schema: Any = None
    profile: Any = None
    check: Check | None = None
    created_at: datetime | None = None
    ready_at: datetime | None = None
    job: str | None = None


@dataclass(frozen=True, kw_only=True)
class Source(Record):
    """A database or an S3 prefix that data set versions may be read from."""

    name: str = ""
    kind: str = ""
    description: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Reading(Record):
    """A query or a prefix that became ``version``, or is on its way there."""

    id: str = ""
    dataset: str = ""
    source: str = ""
    kind: str = ""
    query: str | None = None
    prefix: str | None = None
    objects: Any = None
    label: str = ""
    status: str = ""
    version: int | None = None
    failure: str = ""
    job: str | None = None
    requested_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Contract(Record):
    revision: int = 0
    document: Any = None
    digest: str = ""
    reason: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Gate(Record):
    gate: str = ""
    type: str = ""
    mode: str = ""
    outcome: str = ""
    title: str = ""
    rule: Any = None
    observed: Any = None


@dataclass(frozen=True, kw_only=True)
class Decision(Record):
    by: str = ""
    role: str = ""
    verdict: str = ""
    reason: str = ""
    signed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PromotionRequest(Record):
    inner: ClassVar[dict[str, type[Record]]] = {"gates": Gate, "decisions": Decision}
    id: str = ""
    model: str = ""
    version: int = 0
    environment: str = ""
    status: str = ""
    state: str = ""
    revision: int = 0
    why: str = ""
    policy: str = ""
    failure: str = ""
    address: str = ""
    gates: list[Gate] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    lacking: dict[str, int] = field(default_factory=dict)
    requested_by: str = ""
    created_at: datetime | None = None
    expires_at: datetime | None = None
    decided_at: datetime | None = None

    @property
    def failed_gates(self) -> list[Gate]:
        """Gates that hold the request back; those that only warn are not among them."""
        return [each for each in self.gates if each.outcome == "failed"]


@dataclass(frozen=True, kw_only=True)
class Endpoint(Record):
    id: str = ""
    model: str = ""
    environment: str = ""
    address: str = ""
    live_version: int | None = None
    live_deployment: str | None = None


@dataclass(frozen=True, kw_only=True)
class Deployment(Record):
    id: str = ""
    model: str = ""
    environment: str = ""
    version: int = 0
    status: str = ""
    slot: str = ""
    weight: int | None = None
    is_paused: bool = False
    is_rollback: bool = False
    replaces_version: int | None = None
    failure: str = ""
    reason: str = ""
    created_at: datetime | None = None
    live_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Export(Record):
    id: str = ""
    format: str = ""
    status: str = ""
    events: int | None = None
    tree_size: int | None = None
    digest: str = ""
    size: int | None = None
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class Job(Record):
    id: str = ""
    kind: str = ""
    status: str = ""
    progress_percent: int = 0
    step: str = ""
    failure: str = ""
    log_tail: list[str] = field(default_factory=list)
    outcome: Any = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.status in {"succeeded", "failed", "cancelled"}
