"""One model of an outcome rewritten so that its expectation is the uplift."""

from experiments.uplift.learners._learner import Learner
from experiments.uplift.responses import Response
from experiments.uplift.table import Floats
from experiments.uplift.trial import Trial


class TransformedOutcome(Learner):
    """E[y·(w − e)/(e·(1 − e)) | x], e the chance of a message.

    Source: Athey and Imbens (2016), PNAS 113, section on transformed outcomes; for e = ½ and outcomes of 0
    and 1 the class transformation of Jaskowski and Jaroszewicz (2012).
    """

    name = "transformed_outcome"

    def _fit(self, features: Floats, trial: Trial) -> None:
        chance = trial.chance
        rewritten = trial.outcome * (trial.treated - chance) / (chance * (1 - chance))
        self._response = Response(features, rewritten, base=self.base, seed=self.seed, amount=True)

    def _predict(self, features: Floats) -> Floats:
        return self._response(features)
