"""Verdicts from sufficient statistics: sums go in, effects with intervals and one p-value come out.

No customer, no database and no framework is known here. Everything is a fraction, never percent.
"""

from experiments.stats.adjusted import Adjusted, CrossProducts, MultiAdjusted
from experiments.stats.comparison import Effect, Note, Obstacle, Statistic, compare, obstacle
from experiments.stats.design import minimum_detectable_effect, power, sample_size
from experiments.stats.looks import Look, LookPlan, plan_looks
from experiments.stats.multiplicity import adjust
from experiments.stats.quantile import Quantile
from experiments.stats.ratio import Ratio
from experiments.stats.sample_ratio import SampleRatio, sample_ratio
from experiments.stats.strata import Stratified
from experiments.stats.sufficient import Count, Mean, Proportion

__all__ = [
    "Adjusted",
    "Count",
    "CrossProducts",
    "Effect",
    "Look",
    "LookPlan",
    "Mean",
    "MultiAdjusted",
    "Note",
    "Obstacle",
    "Proportion",
    "Quantile",
    "Ratio",
    "SampleRatio",
    "Statistic",
    "Stratified",
    "adjust",
    "compare",
    "minimum_detectable_effect",
    "obstacle",
    "plan_looks",
    "power",
    "sample_ratio",
    "sample_size",
]
