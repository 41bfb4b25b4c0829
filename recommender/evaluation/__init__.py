"""How good a recommender is, and how sure that is. Pure: arrays in, numbers with intervals out."""

from recommender.evaluation.bootstrap import Estimate, PairedDifference, mean_interval, paired_bootstrap
from recommender.evaluation.ranking import Evaluation, evaluate
from recommender.evaluation.splits import Log, Split, leave_last_out, ratio_split, time_split

__all__ = [
    "Estimate",
    "Evaluation",
    "Log",
    "PairedDifference",
    "Split",
    "evaluate",
    "leave_last_out",
    "mean_interval",
    "paired_bootstrap",
    "ratio_split",
    "time_split",
]
