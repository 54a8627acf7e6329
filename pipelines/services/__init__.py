"""Every change to data sets and pipelines starts here, whoever asks."""

from pipelines.services.access import grant, revoke
from pipelines.services.contracts import CHECK, keep_check, request_check, set_contract
from pipelines.services.datasets import create_dataset, require_creating, update_dataset
from pipelines.services.differences import (
    COMPARE,
    fail_difference,
    keep_difference,
    request_difference,
    require_comparable,
)
from pipelines.services.freshness import freshness_of, look_at_freshness
from pipelines.services.queries import QUERY, end_query, fail_query, request_query
from pipelines.services.references import add_reference
from pipelines.services.runs import (
    RUN,
    begin_run,
    cancel_run,
    end_run,
    fail_run,
    note_mlflow_run,
    start_run,
    use_data,
)
from pipelines.services.validity import (
    ancestors_of,
    descendants_of,
    require_usable,
    require_valid,
    why_invalid,
    why_withheld,
)
from pipelines.services.versions import (
    PROFILE,
    fail_version,
    finish_version,
    note_download,
    quarantine_version,
    register_version,
    release_version,
)

__all__ = [
    "CHECK",
    "COMPARE",
    "PROFILE",
    "QUERY",
    "RUN",
    "add_reference",
    "ancestors_of",
    "begin_run",
    "cancel_run",
    "create_dataset",
    "descendants_of",
    "end_query",
    "end_run",
    "fail_difference",
    "fail_query",
    "fail_run",
    "fail_version",
    "finish_version",
    "freshness_of",
    "grant",
    "keep_check",
    "keep_difference",
    "look_at_freshness",
    "note_download",
    "note_mlflow_run",
    "quarantine_version",
    "register_version",
    "release_version",
    "request_check",
    "request_difference",
    "request_query",
    "require_comparable",
    "require_creating",
    "require_usable",
    "require_valid",
    "revoke",
    "set_contract",
    "start_run",
    "update_dataset",
    "use_data",
    "why_invalid",
    "why_withheld",
]
