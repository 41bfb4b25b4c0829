"""Counts are of people: rows that merges and erasures leave behind are nobody."""

from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from personalization.customers.models import Customer
from personalization.importing.passing import ask
from personalization.segments import previews, selectors
from personalization.segments.services import save_segment

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
    assert previews.preview(not_chinese, now=NOW).some == [kept]


def test_a_count_with_sums_is_planned_without_workers_and_leaves_the_setting_as_it_was():
    bought = {"event": "Order", "op": "sum", "is": "more_than", "value": 200, "window": {"last_days": 90}}
    looked = {"event": "View", "is": "at_least", "value": 1, "window": {"last_days": 14}}
    setting = "max_parallel_workers_per_gather"
    usual = ask("SELECT current_setting(%s)", [setting])[0][0]
    for definition, wanted in (({"all": [bought, {"not": looked}]}, "0"), ({"not": looked}, None)):
        with CaptureQueriesContext(connection) as made:
            assert selectors.count(definition, now=NOW) == 0
        said = " ".join(query["sql"] for query in made.captured_queries)
        assert (f"set_config('{setting}', '{wanted}', true)" in said) == (wanted is not None)
        assert ask("SELECT current_setting(%s)", [setting])[0][0] == usual


def test_one_query_tells_in_which_of_many_segments_a_customer_is(django_assert_num_queries):
    anna = Customer.objects.create(external_id="a", language="en", created_at=NOW)
    versions = {
        language: save_segment(
            None,
            name=language,
            definition={"all": [{"trait": "language", "op": "is", "value": language}]},
            actor="test",
        ).segment.current
        for language in ("en", "de", "fr")
    }
    with django_assert_num_queries(1):
        found = selectors.memberships(anna.pk, list(versions.values()), now=NOW)
    assert found == {versions["en"].pk}
    assert selectors.memberships(0, list(versions.values()), now=NOW) == set()
    assert selectors.memberships(anna.pk, [], now=NOW) == set()
