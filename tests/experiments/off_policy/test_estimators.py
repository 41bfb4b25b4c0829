"""Estimators against hand computation and against a made world whose truth is known."""

import csv
import io
import os
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from experiments.off_policy import Log, Policy, Refusal, cross_fitted_rewards, evaluate, weigh
from experiments.off_policy.direct import direct
from experiments.off_policy.doubly_robust import doubly_robust
from experiments.off_policy.ipw import ipw
from experiments.off_policy.snipw import snipw
from experiments.off_policy.switch import switch_doubly_robust

FOLDER = Path(
    os.environ.get("BESPOKE_SHARED_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data"
)
LOG = Log(np.array([0, 1, 1]), np.array([0.5, 0.25, 0.5]), np.array([1.0, 2.0, 0.0]))
EVEN = Policy.uniform(2)


def test_weights_and_their_effective_number_by_hand():
    weights = weigh(LOG, EVEN.of_taken(LOG))
    assert weights.values.tolist() == [1, 2, 1]
    assert weights.effective == pytest.approx(16 / 6)
    assert weights.mean == pytest.approx(4 / 3)


def test_weighted_means_by_hand():
    w = weigh(LOG, EVEN.of_taken(LOG)).values
    assert ipw(LOG.rewards, w).value == pytest.approx(5 / 3)
    assert snipw(LOG.rewards, w).value == pytest.approx(5 / 4)
    # Contributions 1, 4, 0: deviation √(13/3), and 1.959964 standard errors on each side.
    half = 1.959964 * np.sqrt(13 / 3 / 3)
    assert ipw(LOG.rewards, w).ci == pytest.approx((5 / 3 - half, 5 / 3 + half), abs=1e-6)
    # Against what was earned: 0, 2, 0.
    assert ipw(LOG.rewards, w).over_logged == pytest.approx(2 / 3)


def test_estimators_with_a_model_by_hand():
    q = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 1.0]])
    w = weigh(LOG, EVEN.of_taken(LOG)).values
    assert direct(LOG.rewards, EVEN, q).value == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert doubly_robust(LOG, EVEN, w, q).value == pytest.approx((0.5 + 1 + 0.5 - 1) / 3)
    # The residual of the third is its only one; a weight of 1 is over the threshold.
    assert switch_doubly_robust(LOG, EVEN, w, q, threshold=0.9).value == pytest.approx(2 / 3)


def test_clipping_is_stated():
    weights = weigh(LOG, EVEN.of_taken(LOG), clip=1.5)
    assert weights.values.tolist() == [1, 1.5, 1]
    assert weights.clipped_share == pytest.approx(1 / 3)
    assert weights.clip == 1.5
    assert weights.mean == pytest.approx(4 / 3)  # of the weights as they were


def world(seed, n=4000):
    """Three actions whose rewards depend on the context; logged by a policy that likes the first."""
    rng = np.random.default_rng(seed)
    context = rng.normal(size=(n, 2))
    likes = np.column_stack([np.full(n, 0.5), 0.25 + 0.2 * np.tanh(context[:, 0]), np.zeros(n)])
    likes[:, 2] = 1 - likes.sum(axis=1)
    actions = (rng.random(n)[:, None] > np.cumsum(likes, axis=1)).sum(axis=1)
    means = np.column_stack(
        [0.2 + 0.1 * np.tanh(context[:, 1]), 0.3 + 0.2 * np.tanh(context[:, 0]), 0 * likes[:, 0] + 0.1]
    )
    rewards = (rng.random(n) < means[np.arange(n), actions]).astype(float)
    return Log(actions, likes[np.arange(n), actions], rewards), context


NEW = Policy(np.array([0.1, 0.8, 0.1]))
TRUTH = 0.1 * 0.2 + 0.8 * 0.3 + 0.1 * 0.1  # the tanh of a centered normal has mean 0


def test_intervals_hold_the_truth_of_a_made_world_in_nineteen_of_twenty_cases():
    missed = dict.fromkeys(("ipw", "snipw", "dr", "switch_dr"), 0)
    for seed in range(30):
        log, context = world(seed, n=1000)
        found = evaluate(log, NEW, predicted=cross_fitted_rewards(log, 3, contexts=context))
        for name in missed:
            low, high = found.estimates[name].ci
            missed[name] += not low <= TRUTH <= high
    assert max(missed.values()) <= 5  # 1.5 expected, deviation 1.2


def test_a_model_of_the_rewards_makes_the_interval_narrower():
    log, context = world(7)
    found = evaluate(log, NEW, predicted=cross_fitted_rewards(log, 3, contexts=context)).estimates
    width = {name: estimate.ci[1] - estimate.ci[0] for name, estimate in found.items()}
    assert width["dr"] < width["ipw"]
    assert width["dm"] < width["dr"]
    assert found["dm"].value == pytest.approx(TRUTH, abs=0.03)


def test_a_policy_may_be_known_for_the_actions_taken_alone():
    log, _ = world(1)
    found = evaluate(log, NEW.of_taken(log))
    assert set(found.estimates) == {"ipw", "snipw"}
    assert found.estimates == evaluate(log, NEW).estimates


def test_too_few_effective_decisions_give_a_refusal_and_no_number():
    log, _ = world(1, n=90)
    found = evaluate(log, NEW)
    assert found.refusal is Refusal.TOO_FEW_EFFECTIVE
    assert found.estimates == {}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Log(np.array([0, 1]), np.array([0.5, 0.0]), np.ones(2)), "propensity"),
        (lambda: Log(np.array([0, 1]), np.array([0.5, 0.5]), np.array([1.0, np.nan])), "reward"),
        (lambda: Policy(np.array([0.5, 0.6])), "add up to 1"),
        (lambda: Policy.uniform(1).of_taken(LOG), "does not know"),
        (lambda: weigh(LOG, np.ones(3), clip=0), "clip"),
        (lambda: snipw(np.ones(3), np.zeros(3)), "nothing of what was done"),
    ],
)
def test_wrong_input_is_refused_with_the_reason(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_every_estimator_is_that_of_the_open_bandit_pipeline():
    """By obp 0.5.5 from the same log, policy and model."""
    rng = np.random.default_rng(12)
    x = rng.normal(size=2_000)
    logits = np.outer(x, np.linspace(-1, 1, 5))
    logged, wanted = np.exp(logits), np.exp(-0.5 * logits)
    logged /= logged.sum(axis=1, keepdims=True)
    wanted /= wanted.sum(axis=1, keepdims=True)
    actions = (rng.random(2_000)[:, None] > logged.cumsum(axis=1)).sum(axis=1)
    rewards = (rng.random(2_000) < 0.1 + 0.05 * actions).astype(float)
    log = Log(actions, logged[np.arange(2_000), actions], rewards)
    predicted = 0.1 + 0.04 * np.arange(5)[None, :] + 0.02 * np.tanh(x)[:, None]
    found = evaluate(log, Policy(wanted), predicted=predicted, switch_at=3.0)
    assert {name: one.value for name, one in found.estimates.items()} == pytest.approx(
        {
            "ipw": 0.190010661095, "snipw": 0.184683936089, "dm": 0.179898284493, "dr": 0.184793739477,
            "switch_dr": 0.19217667599,
        }, abs=1e-11,
    )  # fmt: skip
    clipped = evaluate(log, Policy(wanted), clip=2.0)
    assert clipped.estimates["ipw"].value == pytest.approx(0.157544939836, abs=1e-11)


@pytest.fixture(scope="session")
def open_bandit():
    """Logs of a shop's front page: (kind of policy, campaign) → actions, propensities, clicks."""
    file = FOLDER / "obd_small.tar.xz"
    if not file.is_file():
        pytest.skip("obd_small.tar.xz is not here; BESPOKE_SHARED_DATA names the folder it lies in")

    def read(kind, campaign, *, positions=False):
        with tarfile.open(file) as archive:
            member = archive.extractfile(f"obd/{kind}/{campaign}/{campaign}.csv")
            rows = list(csv.DictReader(io.TextIOWrapper(member, "utf-8")))
        columns = ("item_id", "propensity_score", "click")
        items, chances, clicks = (np.array([float(row[name]) for row in rows]) for name in columns)
        log = Log(items.astype(int), chances, clicks)
        return (log, [row["position"] for row in rows]) if positions else log

    return read


@pytest.mark.parametrize(
    ("campaign", "items", "weighted", "normalized", "on_policy", "effective"),
    [("all", 80, 0.00236, 0.00233, 0.0038, 340), ("men", 34, 0.00301, 0.00319, 0.0046, 656)],
)
def test_the_uniform_policy_from_the_logs_of_another(
    open_bandit, campaign, items, weighted, normalized, on_policy, effective
):
    found = evaluate(open_bandit("bts", campaign), Policy.uniform(items))
    assert found.estimates["ipw"].value == pytest.approx(weighted, abs=5e-6)
    assert found.estimates["snipw"].value == pytest.approx(normalized, abs=5e-6)
    assert found.weights.effective == pytest.approx(effective, abs=0.5)
    # What the uniform policy really got, in a log of its own.
    there = open_bandit("random", campaign).rewards
    assert there.mean() == pytest.approx(on_policy)
    low, high = found.estimates["ipw"].ci
    error = np.hypot((high - low) / 2, 1.96 * there.std() / np.sqrt(len(there)))
    assert abs(found.estimates["ipw"].value - on_policy) < error


def test_a_log_that_two_decisions_carry_is_refused(open_bandit):
    log = open_bandit("bts", "women")
    found = evaluate(log, Policy.uniform(46))
    assert found.refusal is Refusal.TOO_FEW_EFFECTIVE
    assert found.estimates == {}
    assert found.weights.effective == pytest.approx(2.1, abs=0.05)
    assert ipw(log.rewards, found.weights.values).value == pytest.approx(0.00744, abs=5e-6)
    assert snipw(log.rewards, found.weights.values).value == pytest.approx(0.00237, abs=5e-6)


@pytest.mark.parametrize(
    ("campaign", "weighted", "effective"),
    [("all", 0.005035, 2639), ("men", 0.005656, 2869), ("women", 0.005806, 3492)],
)
def test_what_a_policy_that_learned_shows_from_the_logs_of_chance(open_bandit, campaign, weighted, effective):
    """Its chances are the shares of the items at each position in a log of its own."""
    learned, places = open_bandit("bts", campaign, positions=True)
    log, asked = open_bandit("random", campaign, positions=True)
    shown, whole = Counter(zip(places, learned.actions.tolist(), strict=True)), Counter(places)
    chances = [
        shown[place, item] / whole[place] for place, item in zip(asked, log.actions.tolist(), strict=True)
    ]
    found = evaluate(log, np.array(chances))
    assert found.estimates["ipw"].value == pytest.approx(weighted, abs=5e-7)
    assert found.weights.effective == pytest.approx(effective, abs=0.5)
