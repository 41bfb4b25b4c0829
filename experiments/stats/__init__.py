"""Verdicts from sufficient statistics: sums go in, effects with intervals and one p-value come out.

No customer, no database and no framework is known here. Everything is a fraction, never percent.
"""

from experiments.stats.comparison import Effect, Note, Obstacle, compare, obstacle
from experiments.stats.design import minimum_detectable_effect, power, sample_size
from experiments.stats.multiplicity import adjust
from experiments.stats.sample_ratio import SampleRatio, sample_ratio
from experiments.stats.sufficient import Mean, Proportion, Statistic

__all__ = [
    "Effect",
    "Mean",
    "Note",
    "Obstacle",
    "Proportion",
    "SampleRatio",
    "Statistic",
    "adjust",
    "compare",
    "minimum_detectable_effect",
    "obstacle",
    "power",
    "sample_ratio",
    "sample_size",
]
