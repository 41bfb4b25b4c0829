"""One algorithm through one protocol: fitted on every split, judged, timed; an error is an answer, too."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recommender import algorithms
from recommender.algorithms import ItemFeatures
from recommender.evaluation.ranking import Evaluation, evaluate, merge_folds
from recommender.evaluation.ratings import RatingEvaluation, evaluate_ratings, merge_rating_folds
from recommender.evaluation.splits import Split

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Verdict:
    """`ranking` is None when nobody could be judged or lists were not asked for, `ratings` for models that
    predict none. With an `error`, neither; `fit_seconds` is the mean over the splits.
    """

    algorithm: str
    parameters: dict[str, Any] = field(default_factory=dict)
    fit_seconds: float = 0.0
    ranking: Evaluation | None = None
    ratings: RatingEvaluation | None = None
    error: str = ""


def judge(
    name: str,
    splits: Sequence[Split],
    *,
    parameters: Mapping[str, Any] | None = None,
    k: int = 20,
    features: ItemFeatures | None = None,
    context: Mapping[str, Any] | None = None,
    with_lists: bool = True,
    progress: Progress | None = None,
) -> Verdict:
    """Fits on each split's training part. Whatever goes wrong is told in the verdict, never raised, so that
    one algorithm does not take the others along. `progress` hears the finished share.
    """
    own = dict(parameters or {})
    try:
        return _judge(name, splits, own, k, features, context, with_lists, progress or (lambda share: None))
    except Exception as error:
        return Verdict(name, own, error=f"{type(error).__name__}: {error}")


def _judge(
    name: str,
    splits: Sequence[Split],
    parameters: dict[str, Any],
    k: int,
    features: ItemFeatures | None,
    context: Mapping[str, Any] | None,
    with_lists: bool,
    progress: Progress,
) -> Verdict:
    kind = algorithms.get(name)
    seconds, rankings, ratings = 0.0, [], []
    for number, split in enumerate(splits):
        started = time.perf_counter()
        model = kind(**parameters)
        model.fit(
            split.input_for(is_explicit=model.is_explicit),
            features=features if kind.uses_features else None,
            progress=lambda share, done=number: progress((done + share) / len(splits)),  # type: ignore[misc]
        )
        seconds += time.perf_counter() - started
        ranking = evaluate(model, split, k=k, context=context) if with_lists else None
        rated = evaluate_ratings(model, split)
        rankings += [ranking] if ranking is not None else []
        ratings += [rated] if rated is not None else []
    return Verdict(
        name,
        parameters,
        seconds / max(len(splits), 1),
        merge_folds(rankings),
        merge_rating_folds(ratings),
    )
