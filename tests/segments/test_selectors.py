"""Counts are of people: rows that merges and erasures leave behind are nobody."""

from datetime import UTC, datetime

import pytest
from django.core.cache import cache

from personalization.customers.models import Customer
from personalization.segments import selectors

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_who_was_erased_or_merged_away_is_not_counted():
    cache.delete("segments:total")
    kept = Customer.objects.create(external_id="kept", language="en", created_at=NOW)
    Customer.objects.create(created_at=NOW, merged_into=kept)
    Customer.objects.create(created_at=NOW, erased_at=NOW)
    everyone: dict[str, list[object]] = {"all": []}
    not_chinese = {"not": {"trait": "language", "op": "is", "value": "zh"}}
    assert selectors.customer_total() == 1
    assert selectors.count(everyone, now=NOW) == selectors.count(not_chinese, now=NOW) == 1
    assert selectors.sample(not_chinese, now=NOW) == [kept]
