"""Data sets and their versions, contracts and checks, pipelines and their runs."""

from pipelines.models.access import DatasetAccountGrant, DatasetGroupGrant
from pipelines.models.contracts import ContractCheck, DataContract
from pipelines.models.datasets import Dataset, DatasetVersion
from pipelines.models.differences import VersionDifference
from pipelines.models.freshness import FreshnessAlarm
from pipelines.models.queries import DatasetQuery
from pipelines.models.references import VersionReference
from pipelines.models.runs import Pipeline, PipelineRun, RunDataset

__all__ = [
    "ContractCheck",
    "DataContract",
    "Dataset",
    "DatasetAccountGrant",
    "DatasetGroupGrant",
    "DatasetQuery",
    "DatasetVersion",
    "FreshnessAlarm",
    "Pipeline",
    "PipelineRun",
    "RunDataset",
    "VersionDifference",
    "VersionReference",
]
