"""User × item × context: what somebody wants depends on when, where and on what they look."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import linalg

from recommender.algorithms._base import Arrays, Context, Training, gettext_noop
from recommender.algorithms._baseline import Baseline, learn_baseline
from recommender.algorithms._cells import Cells, Doubles, Mode, cells_of, modes_of
from recommender.algorithms._feedback import EitherRecommender
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._tensor_solver import CONTEXT, ITEM, USER, Setting, Solver, Vectors

# The vectors of users and items take a rough shape before contexts bend them.
FIRST_ITERATIONS = 2
CONTEXT_BIAS_REGULARIZATION = 10.0
AMOUNTS_REGULARIZATION, RATINGS_REGULARIZATION = 0.02, 0.15
SPREAD = 0.02


class Tensor(EitherRecommender):
    """Score = Σ over factors of user × item × context × context …: a CP decomposition, by least squares in
    turns over the modes.

    Every column of `interactions.events` beside users, items, weights and timestamps is a context, whole
    numbers or texts (`columns`: only those; [] for none: plain matrix factorization). A context's vector is
    drawn towards 1, "makes no difference", with the strength `context_regularization` relative to its data.
    The mean of a context's vectors is 1: that is an unknown context, too.

    Implicit feedback (the default): a cell that was taken has target 1 and weight `alpha` × amount. Every
    cell has target 0, too, with the share of its user's amounts that its context has as weight: what
    somebody does not buy where he never is tells nothing. So contexts without a meaning leave weighted
    matrix factorization. With `ratings`: observed cells only, off μ + b_u + b_i and a bias of each context.
    `regularization` None is 0.02 for amounts, 0.15 for ratings; it grows with a row's frequency.

    User vectors are solved from histories, with the context of their events where these have it. Reasons
    are given for amounts, without regard to context. Sources: Carroll and Chang (1970); for implicit
    feedback Hidasi and Tikk (2012), iTALS, whose zeros weigh 1 in any context; Rendle et al. (2021).
    """

    name = "tensor"
    title = gettext_noop("Tensor factorization (context-aware)")
    instead = "als, or fewer factors"
    uses_context = True
    search_space = {
        "factors": ("log_int", 8, 64),
        "regularization": ("log", 0.002, 0.2),
        "alpha": ("log", 1.0, 40.0),
        "context_regularization": ("log", 0.001, 10.0),
    }

    def __init__(
        self,
        *,
        factors: int = 32,
        regularization: float | None = None,
        context_regularization: float = 0.1,
        alpha: float = 8.0,
        iterations: int = 15,
        columns: Sequence[str] | None = None,
        ratings: bool = False,
        seed: int = 0,
    ) -> None:
        if factors < 1 or iterations < 1 or alpha <= 0 or context_regularization <= 0:
            raise ValueError("factors, iterations, alpha and context_regularization must be positive")
        if regularization is not None and regularization <= 0:
            raise ValueError("regularization must be positive")
        self.is_explicit = ratings
        self.factors = factors
        self.regularization = regularization
        self.context_regularization = context_regularization
        self.alpha = alpha
        self.iterations = iterations
        self.columns = columns
        self.ratings = ratings
        self.seed = seed

    def needed_bytes(self, n_users: int, n_items: int, n_interactions: int) -> int:
        return 8 * self.factors * (n_users + n_items) + 120 * n_interactions

    def _learn(self, interactions: Interactions, training: Training) -> None:
        self._modes = modes_of(interactions, self.columns)
        cells = cells_of(interactions, self._modes, is_explicit=self.is_explicit)
        if self.is_explicit:
            self._note_scale(interactions)
            self._baseline = learn_baseline(interactions)
            self._biases = self._learn_biases(cells)
            cells = self._residuals(cells)
        random = np.random.default_rng(self.seed)
        tables = [random.normal(0, SPREAD, (n, self.factors)) for n in interactions.shape]
        tables += [np.ones((mode.unknown + 1, self.factors)) for mode in self._modes]
        vectors = Vectors.of(tables)
        solver = Solver(vectors, cells, self._modes, self._setting)
        for iteration in range(self.iterations):
            for mode in range(len(tables)):
                if mode < CONTEXT or iteration >= FIRST_ITERATIONS:
                    solver.solve(mode)
                training.progress((iteration + (mode + 1) / len(tables)) / self.iterations)
        self._tables = [vectors[mode].copy() for mode in range(ITEM, len(tables))]

    @property
    def _setting(self) -> Setting:
        usual = RATINGS_REGULARIZATION if self.ratings else AMOUNTS_REGULARIZATION
        return Setting(
            None if self.ratings else self.alpha,
            usual if self.regularization is None else self.regularization,
            self.context_regularization,
        )

    def _learn_biases(self, cells: Cells) -> list[Doubles]:
        """Of each context value, one context after the other; 0 for an unknown value."""
        left = cells.amounts - self._baseline.rate(cells.codes[USER], cells.codes[ITEM])
        biases = []
        for codes, mode in zip(cells.codes[CONTEXT:], self._modes, strict=True):
            counts = np.bincount(codes, minlength=mode.unknown + 1)
            sums = np.bincount(codes, weights=left, minlength=mode.unknown + 1)
            biases.append(sums / (counts + CONTEXT_BIAS_REGULARIZATION))
            left = left - biases[-1][codes]
        return biases

    def _residuals(self, cells: Cells, users: Doubles | None = None) -> Cells:
        """Ratings less what is known without factors; `users` are biases of histories."""
        base = self._baseline
        known = base.users if users is None else users
        left = cells.amounts - base.mean - known[cells.codes[USER]] - base.items[cells.codes[ITEM]]
        for codes, biases in zip(cells.codes[CONTEXT:], self._biases, strict=True):
            left = left - biases[codes]
        return Cells(cells.codes, left)

    def _users(self, histories: Interactions) -> Doubles:
        """float64[n, factors], solved exactly; zero for an empty history."""
        cells = cells_of(histories, self._modes, is_explicit=self.is_explicit)
        if self.is_explicit:
            cells = self._residuals(cells, self._baseline.of_histories(histories))
        vectors = Vectors.of([np.zeros((histories.n_users, self.factors)), *self._tables])
        Solver(vectors, cells, self._modes, self._setting).solve(USER)
        return vectors[USER].copy()

    def _score(self, histories: Interactions) -> Floats:
        return self._score_in(histories, {})

    def _score_in(self, histories: Interactions, context: Context) -> Floats:
        bends, biases = self._bends(context, histories.n_users)
        scores = (self._users(histories) * bends).astype(np.float32) @ self._tables[0].T.astype(np.float32)
        if self.is_explicit:
            of_users = self._baseline.mean + self._baseline.of_histories(histories) + biases
            scores += (of_users[:, None] + self._baseline.items).astype(np.float32)
        return np.asarray(scores, dtype=np.float32)

    def _bends(self, context: Context | None, n: int) -> tuple[Doubles, Doubles]:
        """What the context does to n vectors (float64[n, factors], a factor each) and ratings (float64[n]).

        A column that is not given, or a value never seen, is the average one.
        """
        bends, total = np.ones((n, self.factors)), np.zeros(n)
        for number, mode in enumerate(self._modes):
            codes = np.full(n, mode.unknown)
            if context and mode.name in context:
                codes = mode.codes(np.broadcast_to(np.asarray(context[mode.name]), (n,)))
            bends *= self._tables[1 + number][codes]
            total += self._biases[number][codes] if self.is_explicit else 0.0
        return bends, total

    def predict(self, users: npt.ArrayLike, items: npt.ArrayLike, context: Context | None = None) -> Floats:
        """As RatingRecommender.predict, in a context: a value for all pairs or an array of one for each."""
        self._refuse_without_ratings()
        rows, columns = self._asked(users, items)
        bends, biases = self._bends(context, len(rows))
        return self._on_scale(self._predict(rows, columns, bends) + biases)

    def _predict(self, users: Ints, items: Ints, bends: Doubles | None = None) -> Doubles:
        trained = self._trained()
        rated = self._baseline.rate(users, items)
        known = (users >= 0) & (users < trained.n_users) & (items >= 0) & (items < self.n_items)
        asked, places = np.unique(users[known], return_inverse=True)
        if bends is None:
            bends = self._bends(None, len(users))[0]
        taste = self._users(trained.rows(asked))[places] * bends[known]
        rated[known] += np.einsum("nf,nf->n", taste, self._tables[0][items[known]])
        return rated

    def _contributions(
        self, items: Ints, weights: npt.NDArray[np.float64], targets: Ints
    ) -> npt.NDArray[np.float64]:
        """As in `als`: the user's vector is a sum over the history, so the score is one."""
        if self.is_explicit:
            return super()._contributions(items, weights, targets)
        history = Interactions(np.array([0, len(items)]), items, weights.astype(np.float32), self.n_items)
        vectors = Vectors.of([np.zeros((1, self.factors)), *self._tables])
        cells = cells_of(history, self._modes, is_explicit=False)
        solver = Solver(vectors, cells, self._modes, self._setting)
        taken = self._tables[0][items]
        system = solver.base(USER)[1] + (taken.T * solver.weights) @ taken
        system += solver.ridges(USER)[0] * np.eye(self.factors)
        spread = linalg.solve(system, self._tables[0][targets].T, assume_a="pos")
        return np.asarray((spread.T @ taken.T) * solver.targets)

    def _arrays(self) -> Arrays:
        found: Arrays = {f"table{at}": table for at, table in enumerate(self._tables)}
        found["modes"] = np.array([mode.name for mode in self._modes], dtype=str)
        for at, mode in enumerate(self._modes):
            found |= {f"values{at}": mode.values, f"shares{at}": mode.shares}
        if self.is_explicit:
            found |= self._baseline.arrays()
            found |= {f"biases{at}": biases for at, biases in enumerate(self._biases)}
        return found

    def _restore(self, arrays: Arrays) -> None:
        names = arrays["modes"].tolist()
        self._modes = tuple(
            Mode(name, arrays[f"values{at}"], arrays[f"shares{at}"]) for at, name in enumerate(names)
        )
        self._tables = [arrays[f"table{at}"] for at in range(1 + len(names))]
        sizes = [self.n_items, *(mode.unknown + 1 for mode in self._modes)]
        if [table.shape for table in self._tables] != [(size, self.factors) for size in sizes]:
            raise ValueError(f"the vectors have shapes {[table.shape for table in self._tables]}")
        if self.is_explicit:
            self._baseline = Baseline.restored(arrays)
            self._biases = [arrays[f"biases{at}"] for at in range(len(names))]
