"""Counts for pages that ask again every few seconds: those that were dear to count are kept for a while."""

import time
from typing import Any

from django.core.cache import cache

from campaigns.journeys import selectors
from campaigns.models import Journey

# Counting may take a twentieth of one worker's time: what took half a second is kept for ten.
KEPT_PER_SECOND = 20
LONGEST_SECONDS = 600


def recent_counts(journey: Journey) -> dict[str, Any]:
    """As `selectors.counts`; of a journey with very many people up to ten minutes old."""
    key = f"journeys:counts:{journey.pk}"
    known: dict[str, Any] | None = cache.get(key)
    if known is None:
        started = time.perf_counter()
        known = selectors.counts(journey)
        seconds = int(KEPT_PER_SECOND * (time.perf_counter() - started))
        if seconds:
            cache.set(key, known, min(seconds, LONGEST_SECONDS))
    return known
