"""Counts of a journey with very many people are kept for a while; of all others they are of now."""

import itertools
from types import SimpleNamespace

import pytest
from django.core.cache import cache

from campaigns.journeys import recent_counts as module
from campaigns.journeys.editing import blank
from campaigns.journeys.services import save_journey

pytestmark = pytest.mark.django_db


@pytest.fixture
def counted(monkeypatch):
    """Each count is another number; what the clock says is given by the test."""
    numbers = itertools.count(1)
    monkeypatch.setattr(module.selectors, "counts", lambda journey: {"entered": next(numbers)})

    def as_slow_as(seconds):
        ticks = itertools.cycle([0.0, seconds])
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))

    cache.clear()
    return as_slow_as


def test_what_is_counted_quickly_is_counted_each_time(counted):
    journey = save_journey(None, name="J", graph=blank(), actor="user:ada")
    counted(0.01)
    assert [module.recent_counts(journey)["entered"] for _ in range(3)] == [1, 2, 3]


def test_what_was_dear_to_count_is_kept(counted):
    journey = save_journey(None, name="J", graph=blank(), actor="user:ada")
    counted(0.5)
    assert [module.recent_counts(journey)["entered"] for _ in range(3)] == [1, 1, 1]
