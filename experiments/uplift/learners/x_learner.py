"""Effects imputed in each group by the other group's model, then modelled themselves."""

from experiments.uplift.learners._learner import Learner
from experiments.uplift.responses import Response
from experiments.uplift.table import Floats
from experiments.uplift.trial import Trial


class XLearner(Learner):
    """g·τ₀(x) + (1 − g)·τ₁(x), g the chance of a message. Source: Künzel et al. (2019), equations 7 to 9.

    τ₁ is learned from y − μ₀(x) of the treated, τ₀ from μ₁(x) − y of the others. g is the mean chance of the
    trial.
    """

    name = "x_learner"

    def _fit(self, features: Floats, trial: Trial) -> None:
        got = trial.treated == 1
        x_c, x_t, y_c, y_t = features[~got], features[got], trial.outcome[~got], trial.outcome[got]
        left = Response(x_c, y_c, base=self.base, seed=self.seed)
        mailed = Response(x_t, y_t, base=self.base, seed=self.seed)
        self._of_treated = Response(x_t, y_t - left(x_t), base=self.base, seed=self.seed, amount=True)
        self._of_others = Response(x_c, mailed(x_c) - y_c, base=self.base, seed=self.seed, amount=True)
        self._share = float(trial.chance.mean())

    def _predict(self, features: Floats) -> Floats:
        return self._share * self._of_others(features) + (1 - self._share) * self._of_treated(features)
