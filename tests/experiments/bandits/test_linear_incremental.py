"""What an offer earns from customers who differ: against closed forms, and a known best policy."""

import numpy as np
import pytest

from experiments.bandits import LinearArm, draw_arms, uniform_draws
from experiments.bandits.incremental import Gain, incremental_chances
from experiments.bandits.linear_incremental import RIDGE, LinearGain
from experiments.stats import Mean

FLOOR = 0.02


def sample(rng: np.random.Generator, n: int, coefficients: list[float]) -> tuple[np.ndarray, np.ndarray]:
    x = np.column_stack([np.ones(n), rng.integers(0, 2, n)])
    return x, x @ np.array(coefficients) + rng.normal(size=n)


def test_the_gain_of_one_kind_of_customer_is_the_difference_of_two_regressions() -> None:
    rng = np.random.default_rng(1)
    (x1, y1), (x0, y0) = sample(rng, 500, [2, 3]), sample(rng, 400, [1, 0])
    gain = LinearGain(LinearArm.of(x1, y1), LinearArm.of(x0, y0))
    expected, spread = 0.0, 0.0
    at = np.array([1.0, 1.0])
    for sign, x, y in ((1, x1, y1), (-1, x0, y0)):
        b = np.linalg.inv(x.T @ x + RIDGE * np.eye(2))
        mu = b @ x.T @ y
        expected += sign * at @ mu
        spread += ((y - x @ mu) ** 2).sum() / (len(y) - 2) * at @ b @ at
    found = gain.at(at)
    assert found.value == pytest.approx(expected, abs=1e-10)
    assert found.deviation == pytest.approx(np.sqrt(spread), abs=1e-10)
    low, high = found.interval
    assert low < 4 < high and found.customers == 900
    assert found.distribution(found.quantile(np.array([0.1, 0.9]))) == pytest.approx([0.1, 0.9])
    adds = gain.contributions(at)
    assert adds[0] == 0 and adds.sum() == pytest.approx(
        found.value - gain.at(np.array([1.0, np.r_[x1[:, 1], x0[:, 1]].mean()])).value
    )


def test_too_few_customers_to_a_column_are_not_enough() -> None:
    rng = np.random.default_rng(2)
    arms = {n: LinearArm.of(*sample(rng, n, [0, 0])) for n in (59, 60)}
    assert LinearGain(arms[60], arms[60]).is_enough
    assert not LinearGain(arms[60], arms[59]).is_enough and not LinearGain(arms[59], arms[60]).is_enough


# A shop of two kinds of customers: what offers 0 and 1 earn beyond nothing from each. The best policy earns 1
# per customer (offer 0 for the first kind, 1 for the second); no offer for all earns anything.
TRUTH = np.array([[1.0, -1.0], [-1.0, 1.0]])


def learn(*, tailored: bool, seed: int, rounds: int = 12, people: int = 300) -> tuple[list[float], float]:
    """What the policy's choices earn per customer in truth, by round, and the least chance of any."""
    rng = np.random.default_rng(seed)
    rows: list[list[list[tuple[float, float]]]] = [[[], []], [[], []]]  # offer, is control → (kind, reward)
    earned, least = [], 1.0
    for number in range(rounds):
        kinds = rng.integers(0, 2, people)
        chances = np.array([policy(rows, kind, tailored=tailored) for kind in (0, 1)])
        least = min(least, float(chances.min()))
        arms, _chance = draw_arms(
            chances[kinds], uniform_draws(f"{seed}-{number}", [str(n) for n in range(people)])
        )
        value = np.column_stack([TRUTH[:, kinds].T, np.zeros(people)])
        earned.append(float((chances[kinds] * value).sum(axis=1).mean()))
        control = rng.random(people) < 0.3
        rewards = 5 + np.where(control, 0.0, value[np.arange(people), arms]) + rng.normal(size=people)
        for kind, arm, is_control, reward in zip(kinds, arms, control, rewards, strict=True):
            if arm < 2:
                rows[arm][int(is_control)].append((float(kind), float(reward)))
    return earned, least


def policy(rows: list[list[list[tuple[float, float]]]], kind: int, *, tailored: bool) -> np.ndarray:
    gains = []
    for sides in rows:
        data = [np.array(side or np.empty((0, 2))).reshape(-1, 2) for side in sides]
        means = [Mean(len(one), float(one[:, 1].sum()), float((one[:, 1] ** 2).sum())) for one in data]
        linear = LinearGain(
            *(LinearArm.of(np.column_stack([np.ones(len(one)), one[:, 0]]), one[:, 1]) for one in data)
        )
        gains.append(linear.at(np.array([1.0, kind])) if tailored and linear.is_enough else Gain(*means))
    return incremental_chances(gains, floor=FLOOR)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_telling_customers_apart_finds_the_known_best_policy_and_beats_one_value_for_all(seed: int) -> None:
    apart, least = learn(tailored=True, seed=seed)
    alike, _least = learn(tailored=False, seed=seed)
    # What is best earns 1, its opposite −1 and nothing 0; the two that are not best keep the floor.
    best = (1 - 2 * FLOOR) - FLOOR
    assert apart[-1] == pytest.approx(best, abs=0.01)
    assert abs(np.mean(alike)) < 0.1 and sum(apart) > sum(alike) + 6
    assert least == pytest.approx(FLOOR, abs=1e-3)
