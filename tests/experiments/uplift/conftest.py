import csv
import lzma
import os
from pathlib import Path

import numpy as np
import pytest

from experiments.uplift import Table, Trial

FOLDER = Path(
    os.environ.get("BESPOKE_SHARED_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data"
)


@pytest.fixture(scope="session")
def hillstrom():
    """The e-mail challenge of MineThatData: one message against none, `score` is a rule without training."""
    file = FOLDER / "hillstrom.csv.xz"
    if not file.is_file():
        pytest.skip("hillstrom.csv.xz is not here; BESPOKE_SHARED_DATA names the folder it lies in")
    with lzma.open(file, "rt") as lines:
        rows = list(csv.DictReader(lines))

    def make(message):
        numbered = [
            (number, row)
            for number, row in enumerate(rows)
            if row["segment"] in (f"{message} E-Mail", "No E-Mail")
        ]
        kept = [row for _, row in numbered]
        numbers = {
            name: np.array([float(row[name]) for row in kept])
            for name in ("recency", "history", "mens", "womens", "newbie")
        }
        words = {
            name: np.array([row[name] for row in kept], dtype=object) for name in ("zip_code", "channel")
        }
        treated = np.array([float(row["segment"] != "No E-Mail") for row in kept])
        visit = np.array([float(row["visit"]) for row in kept])
        trial = Trial(Table(numbers, words), visit, treated, np.full(len(kept), 0.5))
        place = np.array([number for number, _ in numbered])
        return trial, numbers["history"] + 1000 * numbers["womens"] - 1e-6 * place

    return make


@pytest.fixture(scope="session")
def made_trial():
    """Customers of a made shop; `effect` gives what a message adds to each one's expected spend."""

    def make(effect, *, n=6000, seed=1, noise=1.0):
        rng = np.random.default_rng(seed)
        age, visits = rng.uniform(20, 70, n), rng.poisson(3, n).astype(float)
        city = rng.choice(np.array(["Rome", "Oslo", "Lima"], dtype=object), n)
        table = Table({"age": age, "visits": visits}, {"city": city})
        treated = (rng.random(n) < 0.5).astype(float)
        spend = 2 + 0.02 * age + effect(table) * treated + rng.normal(0, noise, n)
        return Trial(table, spend, treated, np.full(n, 0.5))

    return make
