"""What the served model ranks for many customers under rules, as deep as the rules make it necessary."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from recommender.context import Moment
from recommender.interactions import History
from recommender.rules import EXCLUDE, ONLY, Rules, choose
from recommender.serving import ServedModel

# A cap on categories may skip any number of the best: each further look goes this much deeper.
DEEPER = 4


class Ranking:
    """`allowed` has the items that may be shown now, with their narrowest category."""

    def __init__(
        self,
        served: ServedModel,
        histories: Mapping[int, History],
        *,
        rules: Rules,
        allowed: Mapping[int, str],
        moment: Moment,
        left_out: Mapping[int, Collection[int]],
    ) -> None:
        self._served = served
        self._histories = histories
        self._rules = rules
        self._allowed = allowed
        self._context = moment.columns()
        self._left_out = {customer: {*moment.items, *left_out.get(customer, ())} for customer in histories}
        barred = set(rules.not_items)
        self._columns = served.columns([item for item in allowed if item not in barred])

    def best(self, k: int) -> dict[int, dict[int, float]]:
        """Scores by item, best first, for each customer: enough that `choose` finds the k best that obey."""
        if not len(self._served.item_ids):
            return {}
        if self._rules.bought == ONLY:
            return self._of_bought()
        found = self._top(list(self._histories), k)
        depth = k
        while self._rules.max_per_category is not None and depth < len(self._served.item_ids):
            short = [
                customer
                for customer, scores in found.items()
                if len(scores) >= depth and len(self._chosen(customer, scores, k)) < k
            ]
            if not short:
                break
            depth = min(depth * DEEPER, len(self._served.item_ids))
            found |= self._top(short, depth)
        return found

    def _chosen(self, customer: int, scores: Mapping[int, float], k: int) -> list[int]:
        bought = self._histories[customer].bought
        return choose(
            scores, k=k, rules=self._rules, allowed=self._allowed, bought=bought,
            left_out=self._left_out[customer],
        )  # fmt: skip

    def _top(self, customers: Sequence[int], depth: int) -> dict[int, dict[int, float]]:
        histories = [self._histories[customer] for customer in customers]
        leave_out = self._rules.bought == EXCLUDE
        columns, scores = self._served.model.recommend_for(
            self._served.rows(histories),
            depth,
            exclude=[
                self._served.columns(sorted(self._left_out[customer] | (h.bought if leave_out else set())))
                for customer, h in zip(customers, histories, strict=True)
            ],
            allowed=self._columns,
            context=self._context,
        )
        ids = self._served.item_ids
        return {
            customer: {
                int(ids[column]): float(score)
                for column, score in zip(columns[at], scores[at], strict=True)
                if column >= 0
            }
            for at, customer in enumerate(customers)
        }

    def _of_bought(self) -> dict[int, dict[int, float]]:
        """Only a few items of each customer are asked for, so no list of everything is made."""
        customers = list(self._histories)
        rows = self._served.rows([self._histories[customer] for customer in customers])
        found: dict[int, dict[int, float]] = {}
        for start, scores in self._served.model.score_blocks(rows, context=self._context):
            for line, customer in zip(scores, customers[start : start + len(scores)], strict=True):
                bought = self._served.columns(sorted(self._histories[customer].bought))
                columns = np.intersect1d(bought[bought >= 0], self._columns)
                columns = columns[line[columns] > -np.inf]
                order = columns[np.argsort(-line[columns], kind="stable")]
                found[customer] = {int(self._served.item_ids[at]): float(line[at]) for at in order}
        return found
