"""Finds parameters, or algorithm and parameters, on a validation slice of the training part, in a given
time. What the result is judged by later is never looked at here.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recommender import algorithms
from recommender.algorithms import ItemFeatures, Recommender
from recommender.evaluation.metrics import METRICS, Judged
from recommender.evaluation.ranking import hit_matrix, judged_users
from recommender.evaluation.ratings import evaluate_ratings
from recommender.evaluation.splits import Split, leave_last_out, ratio_split, time_split

AUTO = "auto"
DEFAULT_SECONDS = 60
# Cheap ones, quickest first: each gets a try with its defaults before any is tuned.
CANDIDATES = ("popular", "trending", "item_knn", "ease", "als", "user_knn")
FOR_REPEATS = ("repurchase",)
MAX_TRIALS = 60
# The best one's final fit sees more data than its trial did, and has to lie within the budget, too.
FINAL_FIT = 2.0


class _LateError(Exception):
    """The time is up in the middle of a fit."""


@dataclass(frozen=True)
class Trial:
    """One try; `value` is the metric on the validation slice (an RMSE negated), None where it failed."""

    algorithm: str
    parameters: dict[str, Any]
    value: float | None
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class Tuned:
    """The best try, and all of them in order."""

    algorithm: str
    parameters: dict[str, Any]
    metric: str
    value: float
    trials: list[Trial] = field(default_factory=list)


def candidates(*, new_only: bool) -> list[str]:
    """What `auto` chooses from: cheap algorithms that need nothing but events."""
    wanted = CANDIDATES if new_only else (*FOR_REPEATS, *CANDIDATES)
    return [name for name in wanted if name in algorithms.names()]


def validation_split(split: Split, *, seed: int = 1) -> Split:
    """The training part, split once more in the same way; the test events are not in it."""
    if split.train_log is None:
        raise ValueError("this split does not hold the events it was made of")
    if split.name == "time":
        return time_split(split.train_log, new_only=split.new_only)
    if split.name == "leave-last-out":
        return leave_last_out(split.train_log, new_only=split.new_only)
    return ratio_split(split.train_log, seed=seed, new_only=split.new_only)


def tune(
    names: Sequence[str],
    split: Split,
    *,
    seconds: float,
    metric: str = "ndcg",
    k: int = 20,
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    features: ItemFeatures | None = None,
    progress: Callable[[float], None] | None = None,
) -> Tuned | None:
    """The best algorithm among `names` with its parameters, on the validation slice of `split`.

    Every algorithm is tried with its defaults, then the leading two in turn are searched by optuna's
    tree-structured Parzen estimator within their `search_space`, until the time is up; the first try is
    finished in any case. `metric` is one of METRICS, or "rmse" for models of ratings. `parameters` stay
    fixed. None when no try succeeded. Source: Bergstra et al. (2011), Akiba et al. (2019).
    """
    if metric != "rmse" and metric not in METRICS:
        raise ValueError(f"no metric {metric!r}; there are: rmse, {', '.join(METRICS)}")
    search = _Search(
        validation_split(split), metric, k, dict(parameters or {}), features,
        time.perf_counter(), seconds, progress or (lambda share: None),
    )  # fmt: skip
    for name in names:
        search.run(name, {})
    if any(trial.value is not None for trial in search.trials):
        _refine(search, seed)
    search.progress(1.0)
    done = [trial for trial in search.trials if trial.value is not None]
    if not done:
        return None
    best = max(done, key=lambda trial: trial.value or 0.0)
    return Tuned(best.algorithm, best.parameters, metric, best.value or 0.0, search.trials)


@dataclass
class _Search:
    split: Split
    metric: str
    k: int
    fixed: dict[str, Any]
    features: ItemFeatures | None
    started: float
    budget: float
    progress: Callable[[float], None]
    trials: list[Trial] = field(default_factory=list)

    def left(self) -> float:
        """Seconds, after what the final fit of the best will take."""
        done = [trial for trial in self.trials if trial.value is not None]
        final = FINAL_FIT * max(done, key=lambda trial: trial.value or 0.0).seconds if done else 0.0
        return self.budget - final - (time.perf_counter() - self.started)

    def run(self, name: str, chosen: dict[str, Any]) -> Trial:
        parameters = {**self.fixed, **chosen}
        began = time.perf_counter()
        try:
            model = self._fit(name, parameters)
            trial = Trial(name, parameters, self._value(model), time.perf_counter() - began)
        except Exception as error:
            said = "no time was left" if isinstance(error, _LateError) else f"{error}"
            trial = Trial(name, parameters, None, time.perf_counter() - began, said)
        self.trials.append(trial)
        return trial

    def _fit(self, name: str, parameters: dict[str, Any]) -> Recommender:
        kind = algorithms.get(name)
        model = kind(**parameters)
        return model.fit(
            self.split.input_for(is_explicit=model.is_explicit),
            features=self.features if kind.uses_features else None,
            progress=self._hear,
        )

    def _hear(self, share: float) -> None:
        gone = (time.perf_counter() - self.started) / self.budget
        self.progress(min(gone, 1.0))
        if self.left() < 0 and any(trial.value is not None for trial in self.trials):
            raise _LateError

    def _value(self, model: Recommender) -> float:
        if self.metric == "rmse":
            rated = evaluate_ratings(model, self.split)
            if rated is None:
                raise ValueError("the model predicts no ratings")
            return -rated.metrics["rmse"].value
        users = judged_users(self.split)
        if not len(users):
            raise ValueError("nobody can be judged in the validation slice")
        histories = self.split.input_for(is_explicit=model.is_explicit).rows(users)
        exclude = self.split.train.rows(users) if self.split.new_only else None
        lists, _ = model.recommend_for(histories, self.k, exclude=exclude)
        wanted = self.split.test.rows(users)
        judged = Judged(lists, hit_matrix(lists, wanted), np.diff(wanted.indptr), self.split.train)
        return float(np.nanmean(METRICS[self.metric](judged)))


def _refine(search: _Search, seed: int) -> None:
    """Two tries for the leader, one for the second, and so on."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    studies: dict[str, Any] = {}
    for turn in range(MAX_TRIALS):
        leaders = _leaders(search)
        if not leaders:
            return
        name = leaders[-1] if turn % 3 == 2 else leaders[0]
        if search.left() < _expected(search, name):
            return
        if name not in studies:
            sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=6)
            studies[name] = optuna.create_study(direction="maximize", sampler=sampler)
        asked = studies[name].ask()
        space = algorithms.get(name).search_space
        trial = search.run(
            name,
            {key: suggested(asked, key, choice) for key, choice in space.items() if key not in search.fixed},
        )
        if trial.value is None:
            studies[name].tell(asked, state=optuna.trial.TrialState.FAIL)
        else:
            studies[name].tell(asked, trial.value)


def suggested(trial: Any, name: str, choice: tuple[Any, ...]) -> Any:
    """A value from an entry of `search_space`; raises ValueError for an entry that is none."""
    kind, *bounds = choice
    if kind == "choice":
        return trial.suggest_categorical(name, bounds)
    if kind not in ("float", "log", "int", "log_int"):
        raise ValueError(f"the search space of {name} has no kind {kind!r}")
    lowest, highest = bounds
    if kind in ("int", "log_int"):
        return trial.suggest_int(name, lowest, highest, log=kind == "log_int")
    return trial.suggest_float(name, lowest, highest, log=kind == "log")


def _leaders(search: _Search) -> list[str]:
    """At most two algorithms, best first, that have something to tune."""
    best: dict[str, float] = {}
    for trial in search.trials:
        if trial.value is not None:
            best[trial.algorithm] = max(trial.value, best.get(trial.algorithm, -np.inf))
    ranked = sorted(best, key=lambda name: -best[name])
    return [name for name in ranked if set(algorithms.get(name).search_space) - set(search.fixed)][:2]


def _expected(search: _Search, name: str) -> float:
    return max(trial.seconds for trial in search.trials if trial.algorithm == name)
