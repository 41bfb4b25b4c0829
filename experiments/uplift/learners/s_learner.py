"""One model of the outcome in which the message is a feature like others."""

import numpy as np

from experiments.uplift.learners._learner import Learner
from experiments.uplift.responses import Response
from experiments.uplift.table import Floats
from experiments.uplift.trial import Trial


class SLearner(Learner):
    """μ(x, 1) − μ(x, 0). Source: Künzel, Sekhon, Bickel and Yu (2019), PNAS 116, equation 4.

    The message also multiplies every feature: without that a linear model gives everybody one uplift.
    """

    name = "s_learner"

    def _fit(self, features: Floats, trial: Trial) -> None:
        self._response = Response(
            _with(features, trial.treated), trial.outcome, base=self.base, seed=self.seed
        )

    def _predict(self, features: Floats) -> Floats:
        mailed, left = (_with(features, np.full(len(features), float(group))) for group in (1, 0))
        return self._response(mailed) - self._response(left)


def _with(features: Floats, treated: Floats) -> Floats:
    return np.column_stack([features, treated, features * treated[:, None]])
