"""Every loop compiled before anybody waits for it: numba keeps on disk what it made, for all processes that
share its cache.
"""

import tempfile
from pathlib import Path

import numpy as np

from recommender import algorithms
from recommender.algorithms import Interactions
from recommender.inputs.histories import Histories
from recommender.inputs.moment import Moment
from recommender.ranking.assortment import Assortment, assortment_of
from recommender.ranking.many import Ranking
from recommender.ranking.rules import Rules
from recommender.serving import ServedModel

FIRST = "ease", "als"  # what most shops are served by
N_USERS, N_ITEMS = 12, 8


def compile_loops() -> None:
    """Learns from a few made-up events and makes lists, with every algorithm that is installed in any case.
    Half a minute of computing the first time, a second when all is there.
    """
    random = np.random.default_rng(0)
    users, items = np.divmod(np.arange(N_USERS * N_ITEMS), N_ITEMS)
    some = random.random(len(users)) < 0.6
    events = Interactions.from_arrays(
        users=users[some], items=items[some], weights=random.integers(1, 6, some.sum()),
        timestamps=np.arange(some.sum()), shape=(N_USERS, N_ITEMS),
    )  # fmt: skip
    shelf = assortment_of((item, '["all"]', "", 100) for item in range(N_ITEMS))
    for name in dict.fromkeys((*FIRST, *algorithms.names())):
        if not algorithms.get(name).extra:
            _make_lists(name, events, shelf)


def _make_lists(name: str, events: Interactions, shelf: Assortment) -> None:
    fitted = algorithms.get(name)().fit(events)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        fitted.save(path)  # arrays of a file lie otherwise in memory than those of a training
        served = ServedModel(algorithms.load(path), np.arange(N_ITEMS), {"": 1.0})
    ranking = Ranking(served, shelf, k=3, rules=Rules(), moment=Moment())
    for users in ([0], range(N_USERS)):  # one in a page, many in a sending: some models have loops for either
        rows = events.rows(np.array(users))
        ranking.rank(Histories.empty(users), rows, left_out={}, by_trait=None)
