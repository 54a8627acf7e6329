"""Tables of monitoring, by subject."""

from monitoring.models.labels import LONGEST_PREDICTION_ID, Label, LabelBatch
from monitoring.models.references import Reference
from monitoring.models.watches import SegmentSketch, SegmentSummary, StaleDay, Watch
from monitoring.models.windows import (
    DataIssue,
    FeatureWindow,
    Granularity,
    HealthWindow,
    LabelDay,
    Level,
    QualityWindow,
    Role,
)

__all__ = [
    "LONGEST_PREDICTION_ID",
    "DataIssue",
    "FeatureWindow",
    "Granularity",
    "HealthWindow",
    "Label",
    "LabelBatch",
    "LabelDay",
    "Level",
    "QualityWindow",
    "Reference",
    "Role",
    "SegmentSketch",
    "SegmentSummary",
    "StaleDay",
    "Watch",
]
