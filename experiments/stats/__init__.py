"""Verdicts from sufficient statistics: sums go in, effects with intervals and one p-value come out.

No customer, no database and no framework is known here. Everything is a fraction, never percent.
"""

from experiments.stats.adjusted import Adjusted, CrossProducts, MultiAdjusted
from experiments.stats.bayes import Belief, BetaPrior, FlatPrior, GammaPrior, NormalPrior, bayesian
from experiments.stats.comparison import Effect, Note, compare, compare_contrast
from experiments.stats.contrast import Contrast
from experiments.stats.design import minimum_detectable_effect, power, runtime_days, sample_size
from experiments.stats.guards import (
    CountCheck,
    DenominatorCheck,
    Novelty,
    SeenTwice,
    Trend,
    check_counts,
    check_denominator,
    check_seen_twice,
    novelty,
    sample_ratio_by_stage,
)
from experiments.stats.kinds import Obstacle, Statistic, obstacle
from experiments.stats.looks import Look, LookPlan, plan_looks
from experiments.stats.multiplicity import Joint, adjust, simultaneous
from experiments.stats.noninferiority import NonInferiority, Standing, non_inferiority
from experiments.stats.quantile import Quantile
from experiments.stats.ratio import Ratio
from experiments.stats.sample_ratio import SampleRatio, sample_ratio
from experiments.stats.serial import as_json, from_json
from experiments.stats.simulation import FalsePositives, false_positive_rates
from experiments.stats.strata import Stratified
from experiments.stats.sufficient import Count, Mean, Proportion
from experiments.stats.watching import Watching, watch

__all__ = [
    "Adjusted",
    "Belief",
    "BetaPrior",
    "Contrast",
    "Count",
    "CountCheck",
    "CrossProducts",
    "DenominatorCheck",
    "Effect",
    "FalsePositives",
    "FlatPrior",
    "GammaPrior",
    "Joint",
    "Look",
    "LookPlan",
    "Mean",
    "MultiAdjusted",
    "NonInferiority",
    "NormalPrior",
    "Note",
    "Novelty",
    "Obstacle",
    "Proportion",
    "Quantile",
    "Ratio",
    "SampleRatio",
    "SeenTwice",
    "Standing",
    "Statistic",
    "Stratified",
    "Trend",
    "Watching",
    "adjust",
    "as_json",
    "bayesian",
    "check_counts",
    "check_denominator",
    "check_seen_twice",
    "compare",
    "compare_contrast",
    "false_positive_rates",
    "from_json",
    "minimum_detectable_effect",
    "non_inferiority",
    "novelty",
    "obstacle",
    "plan_looks",
    "power",
    "runtime_days",
    "sample_ratio",
    "sample_ratio_by_stage",
    "sample_size",
    "simultaneous",
    "watch",
]
