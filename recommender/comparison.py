"""Is a new model better than what serves now? Judged on the same later events, user by user."""

from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from recommender import algorithms
from recommender.evaluation import Evaluation, PairedDifference, Split, evaluate, paired_bootstrap
from recommender.models import ModelRun

CHOSEN_METRIC = "ndcg"
LIST_LENGTH = 20


@dataclass
class Comparison:
    """`reason` says in words why the new model is, or is not, to be promoted."""

    is_better: bool
    reason: str
    own: Evaluation | None = None
    popular: Evaluation | None = None
    difference: PairedDifference | None = None
    against: str = ""
    split: str = "time"

    def as_json(self) -> dict[str, Any]:
        stored: dict[str, Any] = {"split": self.split, "decision": self.reason, "k": LIST_LENGTH}
        if self.own is not None:
            stored["n_users"] = len(self.own.users)
            stored["own"] = {name: asdict(estimate) for name, estimate in self.own.metrics.items()}
        if self.popular is not None:
            stored["popular"] = {name: asdict(estimate) for name, estimate in self.popular.metrics.items()}
        if self.difference is not None:
            stored["difference"] = {
                "against": self.against,
                "metric": CHOSEN_METRIC,
                **asdict(self.difference),
            }
        return stored


def compare(run: ModelRun, *, champion: ModelRun | None, split: Split) -> Comparison:
    """Fits both recipes on the training part only: a champion that has seen the test events would win
    unfairly.
    """
    own = _judge(run.algorithm, run.parameters, split)
    if own is None:
        return Comparison(False, _("Not promoted: too few customers came back to judge the model by."))
    popular = own if run.algorithm == "popular" else _judge("popular", {}, split)
    if champion is None:
        against, opponent = "popular", popular
    elif (champion.algorithm, champion.parameters) == (run.algorithm, run.parameters):
        return Comparison(
            False,
            _("Not promoted: the champion has the same recipe, so there is nothing to prove."),
            own,
            popular,
        )
    else:
        against = f"{champion.algorithm} #{champion.pk}"
        opponent = _judge_champion(champion, split)
        if opponent is None:
            reason = _("Not promoted: the champion could not be judged on these events.")
            return Comparison(False, reason, own, popular)
    difference = None
    if opponent is not None:
        difference = paired_bootstrap(own.per_user[CHOSEN_METRIC], opponent.per_user[CHOSEN_METRIC])
    is_better = difference is not None and difference.is_above_zero
    return Comparison(is_better, _words(is_better, difference, against), own, popular, difference, against)


def _judge(algorithm: str, parameters: dict[str, Any], split: Split) -> Evaluation | None:
    model = algorithms.get(algorithm)(**parameters).fit(split.train)
    return evaluate(model, split, k=LIST_LENGTH)


def _judge_champion(champion: ModelRun, split: Split) -> Evaluation | None:
    try:
        return _judge(champion.algorithm, champion.parameters, split)
    except (algorithms.UnknownAlgorithmError, algorithms.NotEnoughMemoryError, TypeError):
        return None  # its recipe no longer fits; a person decides


def _words(is_better: bool, difference: PairedDifference | None, against: str) -> str:
    if difference is None or difference.low is None or difference.high is None:
        return _("Not promoted: too few customers came back to judge the model by.")
    facts = {
        "against": against,
        "n": difference.n_users,
        "difference": f"{difference.difference:+.4f}",
        "low": f"{difference.low:+.4f}",
        "high": f"{difference.high:+.4f}",
    }
    if is_better:
        return (
            _(
                "NDCG@20 is %(difference)s above %(against)s over %(n)s customers, "
                "95%% interval %(low)s to %(high)s."
            )
            % facts
        )
    return (
        _(
            "Not promoted: NDCG@20 differs by %(difference)s from %(against)s over %(n)s customers, "
            "95%% interval %(low)s to %(high)s, which is not above zero."
        )
        % facts
    )
