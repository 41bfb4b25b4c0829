"""Is a new model better than what serves now? Judged on the same later events, user by user."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from recommender import algorithms
from recommender.algorithms import ItemFeatures
from recommender.evaluation import (
    Evaluation,
    Log,
    PairedDifference,
    RatingEvaluation,
    Split,
    compare_rankings,
    evaluate,
    evaluate_ratings,
)
from recommender.models import DecidingMetric, ModelRun

LIST_LENGTH = 20


@dataclass(frozen=True)
class Material:
    """What models are judged with: `split` of the events; `ratings` in the same rows and columns, which
    models of explicit ratings learn from; `features`, read when a model asks for them.
    """

    split: Split
    ratings: Log | None = None
    features: Callable[[], ItemFeatures] = ItemFeatures

    def split_for(self, model: algorithms.Recommender) -> Split:
        """The same pairs to be found; a model of ratings learns from those before the same moment."""
        log, later = self.ratings, self.split.test_log
        if not model.is_explicit or log is None or later is None or not len(later):
            return self.split
        before = log.timestamps < later.timestamps.min()
        return replace(self.split, train_log=log.only(before), test_log=log.only(~before))


@dataclass(frozen=True)
class Judgment:
    ranking: Evaluation
    ratings: RatingEvaluation | None = None


@dataclass
class Comparison:
    """`reason` says in words why the new model is, or is not, to be promoted."""

    is_better: bool
    reason: str
    metric: str = DecidingMetric.NDCG
    own: Judgment | None = None
    popular: Judgment | None = None
    difference: PairedDifference | None = None
    above_popular: PairedDifference | None = None
    against: str = ""
    split: str = "time"

    def as_json(self) -> dict[str, Any]:
        stored: dict[str, Any] = {"split": self.split, "decision": self.reason, "k": LIST_LENGTH}
        if self.own is not None:
            stored["n_users"] = len(self.own.ranking.users)
            stored["own"] = _estimates(self.own.ranking)
            if self.own.ratings is not None:
                stored["ratings"] = _estimates(self.own.ratings)
        if self.popular is not None:
            stored["popular"] = _estimates(self.popular.ranking)
        for name, found in (("difference", self.difference), ("above_popular", self.above_popular)):
            if found is not None:
                against = self.against if name == "difference" else "popular"
                stored[name] = {"against": against, "metric": self.metric, **asdict(found)}
        return stored


def compare(
    run: ModelRun,
    *,
    champion: ModelRun | None,
    material: Material,
    progress: Callable[[float], None] | None = None,
    checkpoint: Path | None = None,
) -> Comparison:
    """Fits both recipes on the training part only: a champion that has seen the test events would win
    unfairly.

    A champion of the same recipe is fitted on what it knew when it was trained: newer data alone may be the
    better model, and then it has to prove so, too.
    """
    own = _judge(run.algorithm, run.parameters, material, progress=progress, checkpoint=checkpoint)
    found = Comparison(False, "", run.metric, own, split=material.split.name)
    if own is None:
        found.reason = _("Not promoted: too few customers came back to judge the model by.")
        return found
    found.popular = own if run.algorithm == "popular" else _judge("popular", {}, material)
    found.above_popular = _paired(own, found.popular, run.metric)
    if champion is None:
        opponent, found.against = found.popular, "popular"
    else:
        found.against = f"{champion.algorithm} #{champion.pk}"
        is_same = (champion.algorithm, champion.parameters) == (run.algorithm, run.parameters)
        if is_same and _is_up_to_date(champion, material):
            found.reason = _("Not promoted: the champion has the same recipe, so there is nothing to prove.")
            return found
        opponent = _judge_champion(champion, material, as_trained=is_same)
        if opponent is None:
            found.reason = _("Not promoted: the champion could not be judged on these events.")
            return found
    found.difference = _paired(own, opponent, run.metric)
    _decide(found, run)
    return found


def _decide(found: Comparison, run: ModelRun) -> None:
    is_above = found.difference is not None and found.difference.is_above_zero
    beats_popular = run.algorithm == "popular" or bool(
        found.above_popular and found.above_popular.is_above_zero
    )
    found.is_better = is_above and beats_popular
    if is_above and not beats_popular:
        found.reason = _words(False, found.above_popular, "popular", run)
    else:
        found.reason = _words(found.is_better, found.difference, found.against, run)


def _judge(
    algorithm: str,
    parameters: Mapping[str, Any],
    material: Material,
    *,
    known_until: float | None = None,
    progress: Callable[[float], None] | None = None,
    checkpoint: Path | None = None,
) -> Judgment | None:
    """`known_until` (seconds) keeps later events from the fit, though not from the histories."""
    model = algorithms.get(algorithm)(**parameters)
    split = learned = material.split_for(model)
    if known_until is not None and split.train_log is not None:
        log = split.train_log.only(split.train_log.timestamps <= known_until)
        learned = replace(split, train=log.interactions().positive(), train_log=log)
    model.fit(
        learned.input_for(is_explicit=model.is_explicit),
        features=material.features() if model.uses_features else None,
        progress=progress,
        checkpoint=checkpoint,
    )
    ranking = evaluate(model, split, k=LIST_LENGTH)
    return Judgment(ranking, evaluate_ratings(model, split)) if ranking is not None else None


def _judge_champion(champion: ModelRun, material: Material, *, as_trained: bool) -> Judgment | None:
    until = champion.data_until.timestamp() if as_trained and champion.data_until else None
    try:
        return _judge(champion.algorithm, champion.parameters, material, known_until=until)
    except (algorithms.UnknownAlgorithmError, MemoryError, ImportError, TypeError, ValueError):
        return None  # its recipe no longer fits; a person decides


def _is_up_to_date(champion: ModelRun, material: Material) -> bool:
    """Did the champion know all that the new model learns from in this comparison?"""
    log = material.split.train_log
    if champion.data_until is None or log is None:
        return True
    return bool(np.all(log.timestamps <= champion.data_until.timestamp()))


def _paired(own: Judgment, other: Judgment | None, metric: str) -> PairedDifference | None:
    if other is None:
        return None
    return compare_rankings(own.ranking, other.ranking, metric=metric)


def _estimates(found: Evaluation | RatingEvaluation) -> dict[str, Any]:
    return {name: asdict(estimate) for name, estimate in found.metrics.items()}


def _words(is_better: bool, difference: PairedDifference | None, against: str, run: ModelRun) -> str:
    if difference is None or difference.low is None or difference.high is None:
        return _("Not promoted: too few customers came back to judge the model by.")
    facts = {
        "metric": DecidingMetric(run.metric).label,
        "against": against,
        "n": difference.n_users,
        "difference": f"{difference.difference:+.4f}",
        "low": f"{difference.low:+.4f}",
        "high": f"{difference.high:+.4f}",
    }
    if is_better:
        return (
            _(
                "%(metric)s is %(difference)s above %(against)s over %(n)s customers, "
                "95%% interval %(low)s to %(high)s."
            )
            % facts
        )
    return (
        _(
            "Not promoted: %(metric)s differs by %(difference)s from %(against)s over %(n)s customers, "
            "95%% interval %(low)s to %(high)s, which is not above zero."
        )
        % facts
    )
