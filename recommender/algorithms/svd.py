"""Biased matrix factorization of ratings: the standard that others are measured by."""

from recommender.algorithms._base import gettext_noop
from recommender.algorithms._sgd import SgdRatings


class Svd(SgdRatings):
    """r̂ = μ + b_u + b_i + q_iᵀp_u by stochastic gradient descent, see SgdRatings.

    Memory: 4 bytes × factors × (users + items). Sources: Funk (2006); Koren, Bell and Volinsky (2009),
    Matrix Factorization Techniques, equations 4 and 5.
    """

    name = "svd"
    title = gettext_noop("SVD (ratings: biases and factors)")
