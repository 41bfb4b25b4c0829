"""The tables of experiments, by subject."""

from experiments.models.analysis import Analysis, AnalysisStatus
from experiments.models.assignment import Allocation, Assignment, Experiment, Origin, Variant
from experiments.models.long_run import LongRunStudy
from experiments.models.metric import DaySums, Direction, Metric, MetricRole, MetricScope, MetricState
from experiments.models.plan import Look, Plan
from experiments.models.targeting import TargetingStudy
from experiments.models.totals import SourceTotals, TotalsPack
from experiments.models.traffic import ClientKey, Holdout, HoldoutMember, HoldoutVersion, Layer

__all__ = [
    "Allocation", "Analysis", "AnalysisStatus", "Assignment", "ClientKey", "DaySums", "Direction",
    "Experiment", "Holdout", "HoldoutMember", "HoldoutVersion", "Layer", "LongRunStudy",
    "Look", "Metric", "MetricRole", "MetricScope", "MetricState", "Origin", "Plan", "SourceTotals",
    "TargetingStudy", "TotalsPack", "Variant",
]  # fmt: skip
