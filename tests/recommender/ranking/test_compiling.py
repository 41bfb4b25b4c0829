"""Nobody waits for the compiler: after `compile_loops` a list is made by loops that are there."""

import subprocess
import sys

SCRIPT = """
import sys
import django
django.setup()
from decimal import Decimal
from pathlib import Path
import numpy as np
from numba.core.registry import CPUDispatcher
from recommender import algorithms
from recommender.inputs.histories import Histories
from recommender.inputs.moment import Moment
from recommender.ranking.assortment import assortment_of
from recommender.ranking.compiling import compile_loops
from recommender.ranking.many import Ranking
from recommender.ranking.rules import Rules
from recommender.serving import ServedModel

def compiled():
    loops = [one for name, module in list(sys.modules.items()) if name.startswith("recommender.")
             for one in vars(module).values() if isinstance(one, CPUDispatcher)]
    return {(loop.__module__, loop.__name__, signature) for loop in loops for signature in loop.signatures}

compile_loops()
before = compiled()
assert {"fill_by_scores", "fill_by_order", "best_of_factors"} <= {name for _module, name, _types in before}
events = algorithms.Interactions.from_arrays(
    users=np.array([0, 0, 1, 1, 2]), items=np.array([0, 1, 1, 2, 3]), shape=(3, 5))
shelf = assortment_of((n, f'["{n % 2}"]', "ab"[n % 2], 100 * n) for n in range(7))
numbers = np.arange(2)
histories = Histories(np.arange(3), numbers, numbers, np.ones(2), numbers, numbers, numbers)
rules = [Rules(), Rules(bought="only"), Rules(max_per_category=1, pinned=(4,), diversity=0.5),
         Rules(categories=("0",), price_max=Decimal(3), not_items=(2,))]
for name in ("ease", "als", "item_knn", "popular"):
    algorithms.get(name)().fit(events).save(Path(sys.argv[1]) / f"{name}.npz")
    served = ServedModel(algorithms.load(Path(sys.argv[1]) / f"{name}.npz"), np.arange(5), {"": 1.0})
    for one in rules:
        ranking = Ranking(served, shelf, k=3, rules=one, moment=Moment())
        ranking.rank(histories, events, left_out={1: [3]}, by_trait=None)
print(sorted(compiled() - before))
"""


def test_after_compile_loops_a_list_under_rules_compiles_nothing(tmp_path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
