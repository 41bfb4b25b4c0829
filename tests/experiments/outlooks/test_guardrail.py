"""Whether a guardrail can be proven; expected margins by hand from the normal approximation."""

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest

from experiments.decisions import Criteria, Guardrail, Method
from experiments.outlooks.guardrail import look_at_guardrail
from experiments.outlooks.outlook import Groups

Z = NormalDist().inv_cdf


def criteria(*, alpha=0.05):
    return Criteria(
        metric="revenue", direction="up", baseline="a", method=Method.FIXED, looks=(1.0,), length_days=14,
        min_days=1, alpha=alpha,
    )  # fmt: skip


def ahead(values, margin, groups, *, is_share=True, is_relative=False):
    guardrail = Guardrail("unsubscribed", "down", margin, is_relative)
    return look_at_guardrail(values, guardrail, is_share=is_share, criteria=criteria(), groups=groups)


def test_a_small_audience_cannot_prove_a_fifth_of_a_point_and_a_large_one_can() -> None:
    past = np.zeros(9998)
    past[:39] = 1  # with Laplace's rule 40 of 10,000
    small, large = (ahead(past, 0.002, Groups(n, (n,))) for n in (400, 40_000))
    by_hand = (Z(0.975) + Z(0.8)) * sqrt(2 * 0.004 * 0.996 / 400)
    assert small.provable == pytest.approx(by_hand, rel=0.01)
    assert (small.is_enough, small.customers, large.is_enough) == (False, 800, True)


def test_two_challengers_share_the_error() -> None:
    past = np.zeros(9998)
    past[:39] = 1
    found = ahead(past, 0.002, Groups(400, (400, 400)))
    by_hand = (Z(1 - 0.025 / 2) + Z(0.8)) * sqrt(2 * 0.004 * 0.996 / 400)
    assert found.provable == pytest.approx(by_hand, rel=0.01)


def test_without_a_past_a_share_is_taken_to_be_one_in_a_hundred() -> None:
    found = ahead(None, 0.002, Groups(400, (400,)))
    by_hand = (Z(0.975) + Z(0.8)) * sqrt(2 * 0.01 * 0.99 / 400)
    assert found.provable == pytest.approx(by_hand, rel=0.01)


def test_a_relative_margin_is_measured_by_the_mean() -> None:
    past = np.array([0.0, 10.0] * 500)
    found = ahead(past, 0.5, Groups(100, (100,)), is_share=False, is_relative=True)
    by_hand = (Z(0.975) + Z(0.8)) * sqrt(2 * past.var(ddof=1) / 100) / 5
    assert found.provable == pytest.approx(by_hand, rel=0.02)


def test_nothing_is_said_without_a_past_or_with_an_empty_group() -> None:
    assert ahead(None, 5.0, Groups(100, (100,)), is_share=False) is None
    assert ahead(np.zeros(100), 0.002, Groups(100, (0,))) is None
