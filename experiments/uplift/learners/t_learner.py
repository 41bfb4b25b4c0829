"""Two models of the outcome, one per group."""

from experiments.uplift.learners._learner import Learner
from experiments.uplift.responses import Response
from experiments.uplift.table import Floats
from experiments.uplift.trial import Trial


class TLearner(Learner):
    """μ₁(x) − μ₀(x). Source: Künzel et al. (2019), equation 3."""

    name = "t_learner"

    def _fit(self, features: Floats, trial: Trial) -> None:
        self._left, self._mailed = (
            Response(
                features[trial.treated == group], trial.outcome[trial.treated == group],
                base=self.base, seed=self.seed,
            )
            for group in (0, 1)
        )  # fmt: skip

    def _predict(self, features: Floats) -> Floats:
        return self._mailed(features) - self._left(features)
