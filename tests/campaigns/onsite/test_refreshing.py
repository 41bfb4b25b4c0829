"""What decisions take from memory is read ahead, so that no visitor waits for it."""

import time
from threading import Event
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.onsite import live, refreshing
from campaigns.onsite.answering import Question, _answer
from campaigns.onsite.refreshing import Refresher, refresh
from personalization.access.models import Scope
from personalization.access.services import create_key
from recommender import serving
from recommender.ranking import stocktaking

LIST = "<p>{% for item in items %}{{ item.name }} {% endfor %}</p>"
AGED = ("onsite_offer", "onsite_placement", "recommender_modelrun", "pg_snapshot_xmin")


@pytest.fixture
def clock(monkeypatch):
    """The time of all that decisions keep in memory: stands still until the test moves it."""
    now = [time.monotonic()]
    for module in (live, stocktaking, serving):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


# The catalog is kept only where nothing is being written in the same transaction.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_read_ahead", [True, False])
def test_a_visitor_waits_only_for_what_was_not_read_ahead(make_offer, clock, is_read_ahead):
    make_offer(body=LIST)
    _, token = create_key(name="shop", scopes=[Scope.DECIDE])
    _answer(token, [Question(["hero"], "c-1")], timezone.now())
    clock[0] += 4.5
    if is_read_ahead:
        refresh()
    clock[0] += 0.6
    with CaptureQueriesContext(connection) as asked:
        _answer(token, [Question(["hero"], "c-1")], timezone.now())
    found = {name for name in AGED for one in asked if name in one["sql"]}
    assert found == (set() if is_read_ahead else set(AGED))


def test_nothing_is_read_until_somebody_asks(monkeypatch):
    read = Event()
    monkeypatch.setattr(refreshing, "refresh", lambda step_seconds: read.set())
    refresher = Refresher(step_seconds=0.01, idle_seconds=0.05)
    refresher.start()
    assert not read.wait(0.1)
    refresher.note_question()
    assert read.wait(10)


def test_a_failure_is_told_and_tried_again(monkeypatch):
    tries, again = [], Event()

    def fail(step_seconds):
        tries.append(step_seconds)
        if len(tries) > 1:
            again.set()
        raise OSError

    monkeypatch.setattr(refreshing, "refresh", fail)
    refresher = Refresher(step_seconds=0.01, idle_seconds=60)
    refresher.start()
    refresher.note_question()
    assert again.wait(10)
    refresher._asked.clear()  # the thread rests for good
