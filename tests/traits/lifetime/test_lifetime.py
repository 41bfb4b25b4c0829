"""Against the papers' own figures on CDNOW, and against plain integration."""

import csv
import lzma
import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from personalization.traits.lifetime import TooLittleData
from personalization.traits.lifetime.bg_nbd import BgNbd, fit_bg_nbd
from personalization.traits.lifetime.forecast import check_forecast, lifetime_value
from personalization.traits.lifetime.gamma_gamma import GammaGamma, fit_gamma_gamma
from personalization.traits.lifetime.summary import summarize

FOLDER = Path(
    os.environ.get("BESPOKE_SHARED_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data"
)
PAPER = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


@pytest.fixture(scope="module")
def cdnow() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customers, days and values of the purchases of the 1/10 sample."""
    file = FOLDER / "CDNOW_sample.txt.xz"
    if not file.exists():
        pytest.skip(f"{file.name} is not here; BESPOKE_SHARED_DATA names the folder it lies in")
    with lzma.open(file, "rt") as opened:
        lines = [line.split() for line in opened]
    days = [date(int(d[:4]), int(d[4:6]), int(d[6:])).toordinal() for _, _, d, _, _ in lines]
    return np.array([int(w[1]) for w in lines]), np.array(days), np.array([float(w[4]) for w in lines])


def test_bg_nbd_finds_the_parameters_of_the_paper():
    file = FOLDER / "cdnow_customers_summary.csv.xz"
    if not file.exists():
        pytest.skip(f"{file.name} is not here; BESPOKE_SHARED_DATA names the folder it lies in")
    with lzma.open(file, "rt") as opened:
        rows = [[float(v) for v in row[1:]] for row in list(csv.reader(opened))[1:]]
    found = fit_bg_nbd(*np.array(rows).T)
    # Fader, Hardie, Lee (2005), table 2.
    assert [found.r, found.alpha, found.a, found.b] == pytest.approx([0.243, 4.414, 0.793, 2.426], rel=0.002)


def test_gamma_gamma_finds_the_parameters_of_the_note(cdnow):
    known = summarize(*cdnow, until=date(1997, 9, 30).toordinal())
    assert (len(known.customers), int((known.frequency > 0).sum())) == (2357, 946)
    assert known.value[known.frequency > 0].mean() == pytest.approx(35.08, abs=0.01)
    found = fit_gamma_gamma(known.frequency, known.value)
    # Fader, Hardie (2013): p = 6.25, q = 3.74, gamma = 15.44.
    assert [found.p, found.q, found.gamma] == pytest.approx([6.25, 3.74, 15.44], rel=0.002)


def test_the_chance_of_silence_is_calibrated_on_later_data(cdnow):
    split = date(1997, 9, 30).toordinal()
    checked = check_forecast(*cdnow, split=split, until=split + 90)
    assert checked.gap < 0.03
    assert checked.brier < 0.8 * checked.brier_base
    assert checked.expected == pytest.approx(checked.bought, rel=0.15)


def test_expected_purchases_of_the_papers_customer():
    # The authors' spreadsheet: customer 1 with x = 2, t_x = 30.43, T = 38.86 weeks, 39 weeks ahead.
    found = PAPER.expected(column(2), column(30.43), column(38.86), horizon=39.0)
    assert found[0] == pytest.approx(1.226, abs=0.001)


def test_silence_is_what_integration_over_rates_says():
    x, recency, age, horizon = 3.0, 20.0, 30.0, 10.0
    rate = stats.gamma(PAPER.r + x, scale=1 / (PAPER.alpha + age))
    silent_if_alive = integrate.quad(lambda r: np.exp(-r * horizon) * rate.pdf(r), 0, np.inf)[0]
    alive = PAPER.alive(column(x), column(recency), column(age))[0]
    expected = 1 - alive + alive * silent_if_alive
    found = PAPER.silent(column(x), column(recency), column(age), horizon=horizon)
    assert found[0] == pytest.approx(expected, rel=1e-8)


def test_who_bought_once_is_alive_and_longer_absence_only_lowers_the_chance():
    assert PAPER.alive(column(0), column(0), column(500))[0] == 1
    chances = PAPER.alive(np.full(4, 5.0), np.full(4, 20.0), column(20, 40, 80, 160))
    assert (np.diff(chances) < 0).all()


def test_the_parameters_of_simulated_customers_are_found_again():
    rng = np.random.default_rng(5)
    truth = BgNbd(r=1.0, alpha=20.0, a=1.0, b=4.0)
    rates, leaving = rng.gamma(1.0, 1 / 20.0, 6000), rng.beta(1.0, 4.0, 6000)
    rows = [simulate(rng, rate, leave, age=200.0) for rate, leave in zip(rates, leaving, strict=True)]
    found = fit_bg_nbd(*np.array(rows).T)
    assert found.r / found.alpha == pytest.approx(truth.r / truth.alpha, rel=0.08)
    assert found.a / (found.a + found.b) == pytest.approx(0.2, rel=0.1)


def simulate(rng, rate: float, leave: float, *, age: float) -> tuple[float, float, float]:
    x, last, at = 0, 0.0, 0.0
    while True:
        at += rng.exponential(1 / rate)
        if at > age:
            return x, last, age
        x, last = x + 1, at
        if rng.random() < leave:
            return x, last, age


def test_a_mean_of_few_purchases_is_drawn_to_everybodys():
    worth = GammaGamma(p=6.25, q=3.74, gamma=15.44)
    everybody = 6.25 * 15.44 / 2.74
    few, many = worth.mean(column(1, 1000), column(100, 100))
    assert everybody < few < many < 100
    assert many == pytest.approx(100, rel=0.01)
    assert worth.mean(column(0), column(0))[0] == pytest.approx(everybody)


def test_several_purchases_of_a_day_are_one_and_the_first_is_no_repeat():
    customers, days = np.array([7, 7, 7, 3, 7]), np.array([10, 10, 14, 12, 99])
    found = summarize(customers, days, column(5, 1, 8, 2, 100), until=20)
    assert found.customers.tolist() == [3, 7]
    assert found.frequency.tolist() == [0, 1]
    assert found.recency.tolist() == [0, 4]
    assert found.age.tolist() == [8, 10]
    assert found.value.tolist() == [0, 8]
    assert len(summarize(customers, days, column(5, 1, 8, 2, 100), until=0).customers) == 0


def test_a_years_value_is_less_than_its_purchases_undiscounted():
    known = summarize(np.array([1, 1, 1]), np.array([0, 30, 60]), column(20, 20, 20), until=90)
    timing, worth = BgNbd(1.0, 30.0, 0.5, 3.0), GammaGamma(6.0, 4.0, 15.0)
    history = (known.frequency, known.recency, known.age)
    plain = timing.expected(*history, horizon=365.25) * worth.mean(known.frequency, known.value)
    found = lifetime_value(known, timing=timing, worth=worth, months=12, monthly_discount=0.01)
    assert found == pytest.approx(
        lifetime_value(known, timing=timing, worth=worth, months=12, monthly_discount=0.0) * 0.94, rel=0.03
    )
    assert found[0] < plain[0]


def test_too_little_is_said_instead_of_guessed():
    with pytest.raises(TooLittleData):
        fit_bg_nbd(column(1, 2), column(1, 2), column(3, 3))
    with pytest.raises(TooLittleData):
        fit_bg_nbd(np.zeros(500), np.zeros(500), np.full(500, 9.0))
    with pytest.raises(TooLittleData):
        fit_gamma_gamma(column(0, 1), column(0, 5))
