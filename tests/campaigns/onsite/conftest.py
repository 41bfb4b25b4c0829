"""Placements, live offers, and a decide API that answers in the test's own thread and transaction."""

from datetime import UTC, datetime

import pytest
import redis
from django.conf import settings
from django.test import Client

from campaigns.onsite import admission, answering, item_texts, live, services, showing
from campaigns.onsite.models import Order
from campaigns.onsite.services import ContentDraft, OfferDraft
from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.customers.models import Customer
from recommender import serving
from recommender.ranking import stocktaking

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


class AtOnce:
    def run(self, work, *, then):
        answer = work()
        then(answer)
        return answer


@pytest.fixture(autouse=True)
def fresh():
    """Nothing known from the test before, in this process or in Redis."""
    for one in (admission, item_texts, live, stocktaking, serving):
        one.forget()
    redis.Redis.from_url(settings.REDIS_URL).delete(showing.WAITING)
    yield
    for one in (admission, item_texts, live, stocktaking, serving):
        one.forget()


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(answering, "_deadline", AtOnce())


@pytest.fixture
def placement(db):
    return services.save_placement(
        None, key="hero", name="Hero", fallback="<p>Welcome</p>", order=Order.PRIORITY, actor="test"
    )


@pytest.fixture
def make_offer(placement):
    def make(
        name="Sale", *, body="<p>Sale for {{ customer.first_name }}</p>", start=True, contents=None, **kw
    ):
        contents = contents or [ContentDraft("a", body)]
        kw.setdefault("control_share", 0.0)
        draft = OfferDraft(kw.pop("placement", placement), name, contents, **kw)
        offer = services.save_offer(None, draft, by=None, actor="test")
        return services.start_offer(offer, at=START, actor="test") if start else offer

    return make


@pytest.fixture
def program(db):
    _, token = create_key(name="shop", scopes=[Scope.DECIDE])
    return Client(headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def make_customers(db):
    def make(n):
        return Customer.objects.bulk_create(
            Customer(external_id=f"c-{number}", created_at=START) for number in range(n)
        )

    return make
