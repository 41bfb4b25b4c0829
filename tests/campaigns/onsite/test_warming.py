"""A web process is ready before its first visitor."""

import gc

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.onsite import answering, item_texts, live
from campaigns.onsite.answering import Question, _answer
from campaigns.onsite.deadline import Deadline
from campaigns.onsite.warming import warm_up
from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events.models import Event

LIST = "<p>{% for item in items %}{{ item.name }} {% endfor %}</p>"


@pytest.fixture
def deadline(monkeypatch):
    made = Deadline(20.0, threads=2)
    monkeypatch.setattr(answering, "_deadline", made)
    yield made
    made.close(seconds=5)
    gc.unfreeze()


@pytest.fixture
def short_lived(monkeypatch):
    """Connections of other threads are closed after use: the test's database can be emptied."""
    from django.db import connections

    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)


@pytest.mark.django_db(transaction=True)
class TestWarmUp:
    def test_texts_and_offers_are_there_before_the_first_call(self, deadline, short_lived, make_offer):
        Customer.objects.create(external_id="c-1", language="en", created_at=timezone.now())
        Item.objects.bulk_create(Item(external_id=f"i-{n}", name=f"Tea {n}") for n in range(8))
        make_offer(body=LIST)
        warm_up()
        assert set(live.last_known().placements) == {"hero"}
        assert len(item_texts._known) == 8
        _, token = create_key(name="shop", scopes=[Scope.DECIDE])
        with CaptureQueriesContext(connection) as asked:
            (answer,), _ = _answer(token, [Question(["hero"], "c-1")], timezone.now())
        assert answer["placements"][0]["content"].count("Tea") == 6
        assert not [one["sql"] for one in asked if '"catalog_item"."description"' in one["sql"]]

    def test_nothing_is_written_by_the_rehearsal(self, deadline, short_lived, make_offer):
        Customer.objects.create(external_id="c-1", created_at=timezone.now())
        make_offer()
        warm_up()
        assert not Event.objects.exists()

    def test_a_process_starts_also_when_something_is_wrong(self, monkeypatch, deadline, short_lived):
        monkeypatch.setattr("campaigns.onsite.warming.live", lambda: 1 / 0)
        warm_up()
