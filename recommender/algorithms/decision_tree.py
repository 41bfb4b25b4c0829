"""What makes people take an item: decision trees over how it matches what they took before."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier

from recommender.algorithms._base import Arrays, Training, gettext_noop
from recommender.algorithms._content import ContentRecommender, restored_csr
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._matching import Matcher, Profiles, number_columns, success_of
from recommender.algorithms._tree_kernels import add_leaves
from recommender.algorithms._words import counts, documents

NEGATIVES = 4
# Histories of this many pairs are matched at once; their words take the memory.
PAIRS_AT_ONCE = 1_000
# Cells (users × items × columns) of matches held at once: 64 MB.
CELLS_AT_ONCE = 16_000_000
LEAF_SHARE = 0.002
# Trees give many items the same score; the similarity decides among those, and nothing else.
TIE = 1e-4


class DecisionTree(ContentRecommender):
    """Score: the share of the trees' votes for "takes it", a probability among taken and random items.

    The trees see each customer's own match with an item (see Matcher: words in common, price against the
    usual one, …), and learn once, from everybody, which matches lead to a purchase. So they serve any
    history without a fit, and need few items of one customer. Learned from at most `samples` pairs, each
    with the rest of that user's history as the profile, against NEGATIVES items of others at random.

    scikit-learn grows the trees (Breiman 2001); only their arrays are kept. Raises ValueError when features
    are given, but none is a word or number.
    """

    name = "decision_tree"
    title = gettext_noop("Decision trees")

    def __init__(
        self,
        *,
        trees: int = 20,
        depth: int = 8,
        samples: int = 10_000,
        words: int = 50_000,
        seed: int = 0,
    ) -> None:
        if min(trees, depth, samples, words) < 1:
            raise ValueError("trees, depth, samples and words must be at least 1")
        self.trees = trees
        self.depth = depth
        self.samples = samples
        self.words = words
        self.seed = seed

    def _learn(self, interactions: Interactions, training: Training) -> None:
        features = self._known_features(interactions, training)
        n_items = interactions.n_items
        counted, _ = counts(documents(features, n_items), limit=self.words)
        numbers = number_columns(features.numbers, n_items)
        if training.features is not None and n_items and not (counted.nnz or np.isfinite(numbers).any()):
            raise ValueError("no item has a text, a tag or a number: there is nothing to tell them apart by")
        taken = np.bincount(interactions.items, minlength=n_items).astype(np.float64)
        success, of_others = success_of(counted, taken)
        self._set(Matcher(counted, numbers, success), _no_trees())
        examples, labels = self._examples(interactions, np.flatnonzero(taken), of_others, training)
        if len(np.unique(labels)) == 2:
            self._nodes = self._grow(examples, labels)
        training.progress(1.0)

    def _set(self, matcher: Matcher, nodes: Arrays) -> None:
        self._matcher, self._nodes = matcher, nodes

    def _examples(
        self, interactions: Interactions, items: Ints, success: Floats, training: Training
    ) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Matches of pairs that were taken, each followed by those of NEGATIVES items that were not."""
        random = np.random.default_rng(self.seed)
        owners = np.repeat(np.arange(interactions.n_users), np.diff(interactions.indptr))
        usable = np.flatnonzero(np.diff(interactions.indptr)[owners] > 1)
        chosen = np.sort(random.permutation(usable)[: self.samples])
        matches = [np.zeros((0, self._matcher.n_columns), dtype=np.float32)]
        labels = [np.zeros(0, dtype=np.bool_)]
        for start in range(0, len(chosen), PAIRS_AT_ONCE):
            pairs = chosen[start : start + PAIRS_AT_ONCE]
            full = interactions.rows(owners[pairs])
            wanted = interactions.items[pairs]
            others = items[random.integers(0, len(items), (len(pairs), NEGATIVES))]
            rows = np.repeat(np.arange(len(pairs)), 1 + NEGATIVES)
            asked = np.column_stack([wanted, others]).ravel()
            is_taken = _contains(full, rows, asked)
            is_first = np.tile(np.arange(1 + NEGATIVES) == 0, len(pairs))
            keep = is_first | ~is_taken
            profiles = self._matcher.profiles(_without(full, wanted))
            matches.append(self._matcher.pairs(profiles, rows[keep], asked[keep], success[asked[keep]]))
            labels.append(is_first[keep])
            training.progress(0.8 * (start + len(pairs)) / len(chosen))
        return np.concatenate(matches), np.concatenate(labels)

    def _grow(self, examples: Floats, labels: npt.NDArray[np.bool_]) -> Arrays:
        forest = RandomForestClassifier(
            self.trees,
            max_depth=self.depth,
            min_samples_leaf=max(2, int(LEAF_SHARE * len(labels))),
            random_state=self.seed,
        ).fit(examples, labels)
        return _flattened([tree.tree_ for tree in forest.estimators_])

    def _score(self, histories: Interactions) -> Floats:
        scores = np.empty((histories.n_users, self.n_items), dtype=np.float32)
        step = max(1, CELLS_AT_ONCE // max(self.n_items * self._matcher.n_columns, 1))
        for start in range(0, histories.n_users, step):
            stop = min(start + step, histories.n_users)
            profiles = self._matcher.profiles(histories.rows(np.arange(start, stop)))
            scores[start:stop] = self._votes(profiles).reshape(stop - start, self.n_items)
        scores[:, ~self._matcher.is_known] = -np.inf
        return scores

    def _votes(self, profiles: Profiles) -> Floats:
        matches = self._matcher.grid(profiles)
        votes = TIE * matches[:, 0].astype(np.float64)
        nodes = self._nodes
        add_leaves(
            matches, nodes["roots"], nodes["columns"], nodes["thresholds"], nodes["left"], nodes["right"],
            nodes["values"], votes,
        )  # fmt: skip
        return votes.astype(np.float32)

    def _arrays(self) -> Arrays:
        counted = self._matcher.counted
        own: Arrays = {
            "indptr": counted.indptr, "indices": counted.indices, "data": counted.data,
            "n_words": np.array(counted.shape[1]),
            "numbers": self._matcher.numbers, "success": self._matcher.success,
        }  # fmt: skip
        return own | {f"tree.{name}": column for name, column in self._nodes.items()}

    def _restore(self, arrays: Arrays) -> None:
        nodes = {name: arrays[f"tree.{name}"] for name in _no_trees()}
        counted = restored_csr(arrays, "", self.n_items)
        if len(arrays["numbers"]) != self.n_items or len(arrays["success"]) != self.n_items:
            raise ValueError("the items' numbers do not fit")
        matcher = Matcher(counted, arrays["numbers"], arrays["success"])
        _check(nodes, matcher.n_columns)
        self._set(matcher, nodes)


def _contains(histories: Interactions, rows: Ints, items: Ints) -> npt.NDArray[np.bool_]:
    width = max(histories.n_items, 1)
    known = np.repeat(np.arange(histories.n_users), np.diff(histories.indptr)) * width + histories.items
    return np.isin(rows * width + items, known)


def _without(histories: Interactions, wanted: Ints) -> Interactions:
    """Each history less one item: nobody's taste may be read off the answer itself."""
    rows = np.repeat(np.arange(histories.n_users), np.diff(histories.indptr))
    keep = histories.items != wanted[rows]
    kept = np.bincount(rows[keep], minlength=histories.n_users)
    indptr = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    return Interactions(indptr, histories.items[keep], histories.weights[keep], histories.n_items)


def _no_trees() -> Arrays:
    whole: dict[str, Any] = {
        name: np.zeros(0, dtype=np.int32) for name in ("roots", "columns", "left", "right")
    }
    return {**whole, "thresholds": np.zeros(0), "values": np.zeros(0)}


def _flattened(trees: list[Any]) -> Arrays:
    """All trees in one set of arrays; `roots` says where each begins, a leaf has column −1."""
    sizes = [tree.node_count for tree in trees]
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    moved = list(zip(trees, roots, strict=True))
    votes = [tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1) / len(trees) for tree in trees]
    return {
        "roots": roots,
        "columns": np.concatenate([np.maximum(tree.feature, -1) for tree in trees]).astype(np.int32),
        "thresholds": np.concatenate([tree.threshold for tree in trees]),
        "left": np.concatenate([tree.children_left + root for tree, root in moved]).astype(np.int32),
        "right": np.concatenate([tree.children_right + root for tree, root in moved]).astype(np.int32),
        "values": np.concatenate(votes),
    }


def _check(nodes: Arrays, n_columns: int) -> None:
    """A file that was tampered with must not send the compiled loop outside of its arrays, or in circles."""
    size = len(nodes["columns"])
    inner = np.flatnonzero(nodes["columns"] >= 0)
    children = np.concatenate([nodes["left"][inner], nodes["right"][inner]])
    if (
        any(len(nodes[name]) != size for name in ("thresholds", "left", "right", "values"))
        or (nodes["columns"] >= n_columns).any()
        or ((nodes["roots"] < 0) | (nodes["roots"] >= size)).any()
        or ((children <= np.tile(inner, 2)) | (children >= size)).any()
    ):
        raise ValueError("the trees do not hang together")
