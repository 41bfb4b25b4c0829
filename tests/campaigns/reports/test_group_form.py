"""The form that chooses the groups of a report: what stands in it, and what it costs."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns import services
from campaigns.reports.group_form import group_form
from personalization.customers.models import Customer

pytestmark = pytest.mark.django_db


def test_the_traits_to_choose_from_are_found_without_looking_through_the_events(
    make_customers: Any, make_campaign: Any
) -> None:
    make_customers(2)
    Customer.objects.update(traits={"plan": "gold"})
    run = services.launch(make_campaign(), actor="test")
    cache.delete_many(["segments:traits", "segments:fields"])
    with CaptureQueriesContext(connection) as asked:
        names = [name for name, _chosen in group_form(run.experiment)["traits"]]
    assert "plan" in names and "email" not in names
    assert not [one["sql"] for one in asked if "events_event" in one["sql"]]
