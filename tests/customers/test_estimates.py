"""Numbers of rows for pages: exact while counting is quick, the planner's estimate beyond."""

import pytest
from django.db import connection
from django.utils import timezone

from personalization.customers import estimates
from personalization.customers.models import Customer

pytestmark = pytest.mark.django_db


def make(number):
    Customer.objects.bulk_create(
        Customer(external_id=f"c{n}", created_at=timezone.now(), country="GB" if n % 2 else "DE")
        for n in range(number)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer")


def test_few_rows_are_counted():
    make(7)
    assert estimates.about(Customer.objects.filter(country="GB")) == (3, False)


def test_many_rows_are_estimated_and_no_row_is_read(monkeypatch, django_assert_num_queries):
    make(2000)
    monkeypatch.setattr(estimates, "COUNTED", 500)
    with django_assert_num_queries(1):
        number, is_estimate = estimates.about(Customer.objects.filter(country="GB"))
    assert is_estimate and 900 < number < 1100
