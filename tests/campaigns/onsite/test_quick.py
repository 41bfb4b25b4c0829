"""Usual calls are answered before the layers for pages, and no other way than the rest."""

import pytest
import redis
from django.conf import settings

from campaigns.onsite import api, quick, showing
from personalization.access.services import create_key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_once")]
ASKED = {"customer": "c-1", "placements": ["hero"]}


def ask(program, asked, **more):
    return program.post("/api/v1/decide", asked, content_type="application/json", **more)


@pytest.fixture
def seen(monkeypatch):
    """Who answered: "view" where it was not the quick way."""
    answered = []
    slow = api.DecideView.post
    monkeypatch.setattr(
        api.DecideView, "post", lambda self, request: (answered.append("view"), slow(self, request))[1]
    )
    return answered


def test_a_usual_call_never_comes_to_the_view(program, make_offer, seen):
    make_offer(body="<p>Sale</p>")
    answer = ask(program, ASKED)
    assert answer.json()["placements"][0]["content"] == "<p>Sale</p>"
    assert seen == []
    assert {"X-Request-Id", "RateLimit", "X-Content-Type-Options"} <= set(answer.headers)


@pytest.mark.parametrize(
    "asked", [{"placements": ["hero"], "customer": 7}, {}, {"batch": []}, {"placements": [" hero "]}]
)
def test_what_is_not_written_as_usual_comes_to_the_view(program, make_offer, seen, asked):
    make_offer()
    ask(program, asked)
    assert seen == ["view"]


def test_both_ways_answer_the_same_with_the_same_headers(program, make_offer, monkeypatch):
    make_offer(body="<p>Sale</p>")
    quickly = ask(program, ASKED)
    monkeypatch.setattr(quick, "read_call", lambda raw: None)
    slowly = ask(program, ASKED)
    first, second = quickly.json()["placements"][0], slowly.json()["placements"][0]
    assert first.pop("token") and second.pop("token")
    assert first == second
    for name in ("Cache-Control", "Content-Type", *quick._HEADERS):
        assert quickly[name] == slowly[name]


def test_a_call_with_an_idempotency_key_is_answered_by_the_way_that_keeps_answers(program, make_offer, seen):
    make_offer()
    first = ask(program, ASKED, headers={"Idempotency-Key": "k-1"})
    again = ask(program, ASKED, headers={"Idempotency-Key": "k-1"})
    assert seen == ["view"]
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()


def test_a_test_key_is_answered_and_nothing_is_written_down(program, make_offer):
    make_offer(body="<p>Sale</p>")
    token = create_key(name="try", scopes=["decide"], is_test=True)[1]
    answer = ask(program, ASKED, headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["placements"][0]["content"] == "<p>Sale</p>"
    assert answer["Bespoke-Test"] == "true"
    written = redis.Redis.from_url(settings.REDIS_URL)
    assert written.xlen(showing.WAITING) == 0
    ask(program, ASKED)
    assert written.xlen(showing.WAITING) == 1
