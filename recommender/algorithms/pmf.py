"""Probabilistic matrix factorization of ratings, at its most likely point."""

from recommender.algorithms._base import gettext_noop
from recommender.algorithms._sgd import SgdRatings


class Pmf(SgdRatings):
    """r ~ N(μ + p_uᵀq_i, σ²) with normal priors on p and q: the maximum a posteriori, by gradient descent.

    `regularization` is the variance of the noise over the variance of the priors, per rating. `bpmf` is
    the same model with its uncertainty. Source: Salakhutdinov and Mnih (2007), equations 1 to 4, with
    linear instead of logistic outputs.
    """

    name = "pmf"
    title = gettext_noop("PMF (ratings: factors without biases)")
    has_biases = False

    def __init__(
        self,
        *,
        factors: int = 32,
        epochs: int = 30,
        learning_rate: float = 0.04,
        regularization: float = 0.09,
        seed: int = 0,
    ) -> None:
        super().__init__(
            factors=factors,
            epochs=epochs,
            learning_rate=learning_rate,
            regularization=regularization,
            seed=seed,
        )
