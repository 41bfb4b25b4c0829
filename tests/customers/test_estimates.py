"""Numbers of rows for pages: exact while counting is quick, the planner's estimate beyond."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from personalization.access.models import User
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


def test_the_list_of_customers_neither_counts_nor_sorts_them_all(client, monkeypatch):
    make(2000)
    monkeypatch.setattr(estimates, "COUNTED", 500)
    client.force_login(User.objects.create_superuser("ada", password="x"))
    with CaptureQueriesContext(connection) as seen:
        page = client.get("/admin/customers/customer/").content.decode()
    asked = [query["sql"] for query in seen if "customers_customer" in query["sql"]]
    assert "c1999" in page and "c1940" not in page
    assert not [sql for sql in asked if "COUNT(*)" in sql and "EXPLAIN" not in sql]
    assert not [sql for sql in asked if '"created_at" DESC' in sql]


def test_common_values_are_those_of_the_statistics():
    make(10)
    field = Customer._meta.get_field("country")
    assert estimates.common_values(field) == ["DE", "GB"]
    assert estimates.common_values(Customer._meta.get_field("city")) == [""]
