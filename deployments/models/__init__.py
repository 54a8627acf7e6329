"""Tables of deployments, by subject."""

from deployments.models.deployments import NO_SLOT, Clearance, Deployment, Transition
from deployments.models.places import Endpoint, Environment, Target
from deployments.models.served import (
    LogSegment,
    Scorer,
    ScorerUsage,
    SealedJournal,
    TrafficCount,
)

__all__ = [
    "NO_SLOT",
    "Clearance",
    "Deployment",
    "Endpoint",
    "Environment",
    "LogSegment",
    "Scorer",
    "ScorerUsage",
    "SealedJournal",
    "Target",
    "TrafficCount",
    "Transition",
]
