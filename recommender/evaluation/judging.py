"""One algorithm through one protocol: tuned if wished, fitted on every split, judged, timed; an error is an
answer, too.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from recommender import algorithms
from recommender.algorithms import ItemFeatures, Recommender
from recommender.evaluation.cold_start import ColdStart, evaluate_cold
from recommender.evaluation.context import ContextGain, context_gain
from recommender.evaluation.ranking import Evaluation, evaluate, merge_folds
from recommender.evaluation.ratings import RatingEvaluation, evaluate_ratings, merge_rating_folds
from recommender.evaluation.splits import Split
from recommender.evaluation.tuning import AUTO, DEFAULT_SECONDS, candidates, tune

Progress = Callable[[float], None]
# Of the bar of a split, where the tuning ends.
TUNED_SHARE = 0.8


@dataclass(frozen=True)
class Verdict:
    """`ranking` is None when nobody could be judged or lists were not asked for, `ratings` for models that
    predict none. With an `error`, neither; `fit_seconds` is the mean over the splits.

    `chosen` holds, with tuning, algorithm and parameters found for each split; `gain` what knowing the
    context is worth.
    """

    algorithm: str
    parameters: dict[str, Any] = field(default_factory=dict)
    fit_seconds: float = 0.0
    ranking: Evaluation | None = None
    ratings: RatingEvaluation | None = None
    chosen: list[dict[str, Any]] = field(default_factory=list)
    gain: ContextGain | None = None
    error: str = ""


@dataclass(frozen=True)
class Protocol:
    """How models are judged. The features are for models that use them; `tune_seconds` are for one algorithm
    over all splits, on slices of their training parts.

    With `context` (names of columns), a model of context is also judged in the context of each event, beside
    itself fitted without. With `cold`, `splits` is its split, and only the withheld items are ranked.
    """

    splits: Sequence[Split]
    k: int = 20
    features: ItemFeatures | None = None
    context: Sequence[str] = ()
    cold: ColdStart | None = None
    tune_seconds: float | None = None
    with_lists: bool = True


def judge(
    name: str,
    protocol: Protocol | Sequence[Split],
    *,
    parameters: Mapping[str, Any] | None = None,
    k: int = 20,
    progress: Progress | None = None,
) -> Verdict:
    """Whatever goes wrong is told in the verdict, never raised, so that one algorithm does not take the
    others along. `name` may be "auto". `progress` hears the finished share.
    """
    if not isinstance(protocol, Protocol):
        protocol = Protocol(protocol, k=k)
    own = dict(parameters or {})
    try:
        return _judge(name, protocol, own, progress or (lambda share: None))
    except Exception as error:
        return Verdict(name, own, error=f"{type(error).__name__}: {error}")


def _judge(name: str, protocol: Protocol, parameters: dict[str, Any], progress: Progress) -> Verdict:
    n = len(protocol.splits)
    found = [
        _judge_one(
            name, protocol, split, parameters,
            lambda share, done=number: progress((done + share) / n),  # type: ignore[misc]
        )
        for number, split in enumerate(protocol.splits)
    ]  # fmt: skip
    return Verdict(
        name,
        parameters,
        sum(verdict.fit_seconds for verdict in found) / max(n, 1),
        merge_folds([verdict.ranking for verdict in found if verdict.ranking is not None]),
        merge_rating_folds([verdict.ratings for verdict in found if verdict.ratings is not None]),
        [choice for verdict in found for choice in verdict.chosen],
        found[0].gain if n == 1 else None,
    )


def _judge_one(
    name: str, protocol: Protocol, split: Split, parameters: dict[str, Any], progress: Progress
) -> Verdict:
    chosen = []
    if name == AUTO or protocol.tune_seconds is not None:
        name, parameters = _tuned(name, protocol, split, parameters, progress)
        chosen = [{"algorithm": name, "parameters": parameters}]
    began = TUNED_SHARE if chosen else 0.0
    started = time.perf_counter()
    model = algorithms.get(name)(**parameters)
    source = split.input_for(is_explicit=model.is_explicit)
    model.fit(
        source,
        features=protocol.features if model.uses_features else None,
        progress=lambda share: progress(began + (1 - began) * share),
    )
    seconds = time.perf_counter() - started
    gain = None
    if protocol.context and model.uses_context:
        plain = algorithms.get(name)(**parameters).fit(replace(source, events={}))
        gain = context_gain(model, plain, split, protocol.context, k=protocol.k)
    ratings = evaluate_ratings(model, split) if protocol.cold is None else None
    return Verdict(name, parameters, seconds, _ranking(model, protocol, split), ratings, chosen, gain)


def _ranking(model: Recommender, protocol: Protocol, split: Split) -> Evaluation | None:
    if not protocol.with_lists:
        return None
    if protocol.cold is not None:
        return evaluate_cold(model, protocol.cold, k=protocol.k)
    return evaluate(model, split, k=protocol.k)


def _tuned(
    name: str, protocol: Protocol, split: Split, parameters: dict[str, Any], progress: Progress
) -> tuple[str, dict[str, Any]]:
    if name == AUTO:
        tried, metric = candidates(new_only=split.new_only), "ndcg"
    else:
        tried = [name]
        metric = "rmse" if algorithms.get(name)(**parameters).is_explicit else "ndcg"
    seconds = (protocol.tune_seconds or DEFAULT_SECONDS) / len(protocol.splits)
    found = tune(
        tried, split, seconds=seconds, metric=metric, k=protocol.k, parameters=parameters,
        features=protocol.features, progress=lambda share: progress(TUNED_SHARE * share),
    )  # fmt: skip
    if found is None:
        raise ValueError("no try succeeded on the validation slice")
    return found.algorithm, found.parameters
