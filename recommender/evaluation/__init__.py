"""How good a recommender is, and how sure that is. Pure: arrays in, numbers with intervals out."""

from recommender.evaluation.bootstrap import Estimate, PairedDifference, mean_interval, paired_bootstrap
from recommender.evaluation.metrics import DECIDING, METRICS, Judged
from recommender.evaluation.paired import compare_rankings
from recommender.evaluation.ranking import Evaluation, evaluate, evaluate_lists, judged_users, merge_folds
from recommender.evaluation.ratings import (
    RatingEvaluation,
    compare_rmse,
    evaluate_ratings,
    merge_rating_folds,
)
from recommender.evaluation.splits import (
    Log,
    Split,
    held_split,
    k_folds,
    leave_last_out,
    ratio_split,
    time_split,
)

__all__ = [
    "DECIDING",
    "METRICS",
    "Estimate",
    "Evaluation",
    "Judged",
    "Log",
    "PairedDifference",
    "RatingEvaluation",
    "Split",
    "compare_rankings",
    "compare_rmse",
    "evaluate",
    "evaluate_lists",
    "evaluate_ratings",
    "held_split",
    "judged_users",
    "k_folds",
    "leave_last_out",
    "mean_interval",
    "merge_folds",
    "merge_rating_folds",
    "paired_bootstrap",
    "ratio_split",
    "time_split",
]
