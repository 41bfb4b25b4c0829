"""Before the start: how many customers a test needs, and what it could see with those there are.

Normal approximation with the outcome's variance taken equal on both sides; one variant against one control.
Source: Lachin (1981), equation 1.
"""

import math

from scipy.special import ndtr, ndtri


def sample_size(
    *, variance: float, effect: float, alpha: float = 0.05, power: float = 0.8, ratio: float = 1.0
) -> int:
    """Customers needed in the control group, with `ratio` times as many treated, to see an absolute effect.

    `variance` is between customers: p(1 − p) of a share. Raises ValueError for an effect of 0.
    """
    _check(variance, alpha, ratio)
    if effect == 0:
        raise ValueError("no number of customers shows an effect of 0")
    reach = _z(alpha / 2) + _z(1 - power)
    return math.ceil(variance * (1 + 1 / ratio) * (reach / effect) ** 2)


def power(
    *, variance: float, effect: float, n_control: int, alpha: float = 0.05, ratio: float = 1.0
) -> float:
    """The chance that a two-sided test at alpha finds this absolute effect (in either direction)."""
    _check(variance, alpha, ratio)
    shift = abs(effect) / _error(variance, n_control, ratio)
    critical = _z(alpha / 2)
    return float(ndtr(shift - critical) + ndtr(-shift - critical))


def minimum_detectable_effect(
    *, variance: float, n_control: int, alpha: float = 0.05, power: float = 0.8, ratio: float = 1.0
) -> float:
    """The smallest absolute effect that would be found with this chance."""
    _check(variance, alpha, ratio)
    return (_z(alpha / 2) + _z(1 - power)) * _error(variance, n_control, ratio)


def _error(variance: float, n_control: int, ratio: float) -> float:
    if n_control < 1:
        raise ValueError("a test needs customers")
    return math.sqrt(variance * (1 + 1 / ratio) / n_control)


def _z(tail: float) -> float:
    return -float(ndtri(tail))


def _check(variance: float, alpha: float, ratio: float) -> None:
    if variance <= 0 or ratio <= 0 or not 0 < alpha < 1:
        raise ValueError("variance and ratio must be positive, alpha between 0 and 1")
