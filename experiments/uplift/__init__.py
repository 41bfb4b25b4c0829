"""Whom a message moves: effects by group, models of uplift, and a gate that offers only what holds.

Arrays and sums go in; no customer, database or framework is known here.
"""

from experiments.uplift.gate import Judged, Offer, Study, study
from experiments.uplift.rules import Rule
from experiments.uplift.subgroups import SubgroupReport, compare_subgroups, subgroups_of
from experiments.uplift.table import Table
from experiments.uplift.trial import Trial

__all__ = [
    "Judged",
    "Offer",
    "Rule",
    "Study",
    "SubgroupReport",
    "Table",
    "Trial",
    "compare_subgroups",
    "study",
    "subgroups_of",
]
