"""Controlplane from Python: typed, retried, paged."""

from controlplane_client.client import ControlPlane
from controlplane_client.errors import ControlPlaneError
from controlplane_client.records import (
    Alias,
    Check,
    Contract,
    Dataset,
    DatasetVersion,
    Decision,
    Deployment,
    Endpoint,
    Export,
    File,
    Gate,
    Job,
    Me,
    Model,
    ModelVersion,
    PromotionRequest,
    Reading,
    Record,
    Source,
)

__version__ = "0.1.0"
__all__ = [
    "Alias",
    "Check",
    "Contract",
    "ControlPlane",
    "ControlPlaneError",
    "Dataset",
    "DatasetVersion",
    "Decision",
    "Deployment",
    "Endpoint",
    "Export",
    "File",
    "Gate",
    "Job",
    "Me",
    "Model",
    "ModelVersion",
    "PromotionRequest",
    "Reading",
    "Record",
    "Source",
]
