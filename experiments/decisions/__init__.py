"""Ship, stop or go on: what follows from a plan, the effects and the guards. It is decided nowhere else.

No customer, no database and no framework is known here; reasons are codes, sentences are made elsewhere.
"""

from experiments.decisions.criteria import (
    Criteria,
    Guardrail,
    Method,
    NonsenseCriteria,
    Problem,
    problems_of,
)
from experiments.decisions.rules import (
    Action,
    Challenger,
    Code,
    Decision,
    Guard,
    Moment,
    Standing,
    decide,
    standing_of,
)
from experiments.decisions.weighing import weigh
from experiments.decisions.winner import Fallback, Winner, winner_of

__all__ = [
    "Action",
    "Challenger",
    "Code",
    "Criteria",
    "Decision",
    "Fallback",
    "Guard",
    "Guardrail",
    "Method",
    "Moment",
    "NonsenseCriteria",
    "Problem",
    "Standing",
    "Winner",
    "decide",
    "problems_of",
    "standing_of",
    "weigh",
    "winner_of",
]
